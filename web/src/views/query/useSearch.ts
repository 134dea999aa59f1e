/**
 * The page of the result in the address. The server does the paging. Records keep arriving meanwhile, so a search without
 * an end is given a fixed end, and pages stay stable except for the few records that a camera reports late.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, type Ref } from 'vue'

import { apiSend } from '@/api/client'
import { useStatus } from '@/api/queries'
import type { PassagePage, Status } from '@/api/types'
import { useRetryOnReturn } from '@/composables/useRetryOnReturn'
import { addSeconds, secondsBetween, toMillis } from '@/lib/civil'

import { bodyOf, type QueryFilters, type Search } from './filters'

/** Most records of the newest seconds are still arriving; some are up to a minute late. */
const SETTLED_SECONDS = 3
/** If the newest record is older than this, none are arriving. */
const LIVE_SECONDS = 10

/** The fixed end of a search without an end; none while there is no record. */
export function holdAt({ now, newest_gcsj }: Pick<Status, 'now' | 'newest_gcsj'>): string | null {
  if (!newest_gcsj) return null
  const age = secondsBetween(newest_gcsj, now)
  // The newest record is from a camera whose clock is ahead: then no end is set.
  return age >= 0 && age < LIVE_SECONDS ? addSeconds(now, -SETTLED_SECONDS) : newest_gcsj
}

/** The requested end, unless records before it are still arriving. */
function earlier(held: string | null, asked: string | null | undefined): QueryFilters {
  if (held === null) return {}
  return !asked || toMillis(held) < toMillis(asked) ? { endTime: held } : {}
}

export function useSearch(search: Ref<Search>) {
  const status = useStatus()
  const round = ref(0)
  const body = computed<QueryFilters>(() => ({ ...bodyOf(search.value.filters), order: search.value.order }))
  const key = computed(() => `${round.value} ${JSON.stringify(body.value)}`)

  let held: { key: string; end: string | null } | null = null

  async function heldBody(): Promise<QueryFilters> {
    const [asked, filters] = [key.value, body.value]
    if (held?.key !== asked) {
      const known = status.data.value ?? (await status.refetch({ cancelRefetch: false, throwOnError: true })).data
      held = { key: asked, end: known ? holdAt(known) : null }
    }
    return { ...filters, ...earlier(held.end, filters.endTime) }
  }

  const query = useQuery({
    queryKey: ['query', key, computed(() => search.value.page), computed(() => search.value.limit)],
    queryFn: async ({ signal }) => {
      const { page, limit } = search.value
      // Times as the page reads them, whatever `api.time_format` says.
      return apiSend<PassagePage>('POST', '/api/query', { ...(await heldBody()), timeFormat: 'plain', page, limit }, signal)
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  useRetryOnReturn(query)

  /** Includes the records that have arrived since. */
  function again() {
    round.value += 1
  }

  return { query, again, exportBody: heldBody }
}

/**
 * The page of the result that the address asks for. Paging is the server's; while it goes on, records keep coming in, so
 * a search without an end is held at a moment, so that pages stay where they are but for the few records that a camera
 * reports late.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, type Ref } from 'vue'

import { apiSend } from '@/api/client'
import { useStatus } from '@/api/queries'
import type { PassagePage, Status } from '@/api/types'
import { useRetryOnReturn } from '@/composables/useRetryOnReturn'
import { addSeconds, secondsBetween, toMillis } from '@/lib/civil'

import { bodyOf, type QueryFilters, type Search } from './filters'

/** Most records of the newest seconds are still coming in; single ones are up to a minute late. */
const SETTLED_SECONDS = 3
/** Where the newest record is older than this, none is coming in. */
const LIVE_SECONDS = 10

/** Where a search without an end is held; nowhere as long as there is no record. */
export function holdAt({ now, newest_gcsj }: Pick<Status, 'now' | 'newest_gcsj'>): string | null {
  if (!newest_gcsj) return null
  const age = secondsBetween(newest_gcsj, now)
  // A camera whose clock is ahead stands on top: then nothing is held back.
  return age >= 0 && age < LIVE_SECONDS ? addSeconds(now, -SETTLED_SECONDS) : newest_gcsj
}

/** The end that is asked for, unless records before it are still coming in. */
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
      return apiSend<PassagePage>('POST', '/api/query', { ...(await heldBody()), page, limit }, signal)
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  useRetryOnReturn(query)

  /** Asks for what has come since. */
  function again() {
    round.value += 1
  }

  return { query, again, exportBody: heldBody }
}

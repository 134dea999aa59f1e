/**
 * The page of the result that the address asks for. Paging is the server's; while it goes on, records keep coming in, so
 * a search without an end is held at the newest record that it found first: pages neither shift nor repeat, and an
 * export has what the pages show.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, type Ref } from 'vue'

import { apiSend } from '@/api/client'
import type { PassagePage } from '@/api/types'
import { useRetryOnReturn } from '@/composables/useRetryOnReturn'

import { bodyOf, type QueryFilters, type Search } from './filters'

const ask = (body: QueryFilters, signal?: AbortSignal) => apiSend<PassagePage>('POST', '/api/query', body, signal)

/** Where a search without an end was held. */
class Held {
  private key = ''
  private end: string | null = null

  async bodyFor(key: string, body: QueryFilters, page: number, signal?: AbortSignal): Promise<QueryFilters> {
    if (body.endTime) return body
    if (key !== this.key) {
      this.key = key
      this.end = null
    }
    if (this.end === null && page > 1) this.found(key, await ask({ ...body, page: 1, limit: 1 }, signal))
    return this.end === null ? body : { ...body, endTime: this.end }
  }

  /** The first record of the first page is the newest of all. */
  found(key: string, page: PassagePage) {
    if (key === this.key) this.end ??= page.records[0]?.GCSJ ?? null
  }
}

export function useSearch(search: Ref<Search>) {
  const round = ref(0)
  const held = new Held()
  const body = computed(() => bodyOf(search.value.filters))
  const key = computed(() => `${round.value} ${JSON.stringify(body.value)}`)

  const query = useQuery({
    queryKey: ['query', key, computed(() => search.value.page), computed(() => search.value.limit)],
    queryFn: async ({ signal }) => {
      const [asked, { page, limit }] = [key.value, search.value]
      const found = await ask({ ...(await held.bodyFor(asked, body.value, page, signal)), page, limit }, signal)
      if (page === 1) held.found(asked, found)
      return found
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  useRetryOnReturn(query)

  // What one asks for anew is asked of the server anew.
  function again() {
    round.value += 1
  }

  return { query, again, exportBody: () => held.bodyFor(key.value, body.value, 1) }
}

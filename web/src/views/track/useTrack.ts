import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'

import { apiGet } from '@/api/client'
import { EVERY } from '@/api/queries'

/** Sightings that one page shows. */
export const TRACK_LIMIT = 500

/** The newest sightings of a plate in a span of time; new ones are added automatically. */
export function useTrack(hphm: Ref<string>, span: Ref<{ start: string; end: string }>) {
  return useQuery({
    queryKey: ['track', hphm, span],
    queryFn: ({ signal }) => {
      const { start, end } = span.value
      return apiGet('/api/track', { hphm: hphm.value, start: start || undefined, end: end || undefined, limit: TRACK_LIMIT }, signal)
    },
    enabled: computed(() => hphm.value !== ''),
    refetchInterval: EVERY.stats,
    // For another range of the same plate the old one is shown until the new one has loaded, but not for another plate.
    placeholderData: (previous, query) => (query?.queryKey[1] === hphm.value ? keepPreviousData(previous) : undefined),
  })
}

/** Alerts: their history, one of them with its places, the work on it, and the track around it. */
import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type ParamsOf } from './client'
import { EVERY } from './queries'
import { useRecord, useRecords } from './records'

export type WarningFilters = ParamsOf<'/api/warnings'>

/** Maximum number of passages of a track. */
const TRACK_LIMIT = 500

export const useWarnings = (filters: MaybeRefOrGetter<WarningFilters>) => useRecords('warnings', filters)
export const useWarning = (id: MaybeRefOrGetter<string>) => useRecord('warnings', id)

/** A plate's sightings from `start` to `end`. */
export function useTrackSpan(
  hphm: MaybeRefOrGetter<string>,
  start: MaybeRefOrGetter<string>,
  end: MaybeRefOrGetter<string>,
  enabled: MaybeRefOrGetter<boolean>,
) {
  return useQuery({
    queryKey: ['track', 'span', hphm, start, end],
    queryFn: ({ signal }) =>
      apiGet('/api/track', { hphm: toValue(hphm), start: toValue(start), end: toValue(end), limit: TRACK_LIMIT }, signal),
    refetchInterval: EVERY.slow,
    enabled,
  })
}

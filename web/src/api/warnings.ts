/** Alerts: their history, one of them with its places, and the work on it. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, apiSend, type ParamsOf, sendJson } from './client'
import { EVERY } from './queries'
import type { AlertDetail, WorkChange } from './types'

export type WarningFilters = ParamsOf<'/api/warnings'>

/** Maximum number of passages of a track. */
const TRACK_LIMIT = 500

const detailUrl = (id: string) => `/api/warnings/${encodeURIComponent(id)}`

export function useWarnings(filters: MaybeRefOrGetter<WarningFilters>) {
  return useQuery({
    queryKey: ['warnings', 'history', filters],
    // With the filters of the request, since an earlier answer stays visible while the next one loads.
    queryFn: async ({ signal }) => {
      const wanted = toValue(filters)
      return { ...(await apiGet('/api/warnings', wanted, signal)), asked: JSON.stringify(wanted) }
    },
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
  })
}

export function useWarning(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['warnings', 'one', id],
    queryFn: ({ signal }) => sendJson<AlertDetail>(detailUrl(toValue(id)), { signal }),
    refetchInterval: EVERY.stats,
  })
}

/** Changes the work on an alert; the lists and the alert itself then show it. */
export function useWorkChange(id: MaybeRefOrGetter<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: WorkChange) => apiSend<AlertDetail>('PATCH', detailUrl(toValue(id)), change),
    onSuccess: (changed) => {
      client.setQueryData(['warnings', 'one', changed.id], changed)
      void client.invalidateQueries({ queryKey: ['warnings', 'history'] })
    },
    // Another change may have come first: show the current state.
    onError: () => void client.invalidateQueries({ queryKey: ['warnings', 'one', toValue(id)] }),
  })
}

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

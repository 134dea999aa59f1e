/** Roads: how each segment flows, and one segment by hour. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet } from './client'
import { EVERY } from './queries'

export function useRoads() {
  return useQuery({
    queryKey: ['roads'],
    queryFn: ({ signal }) => apiGet('/api/roads', undefined, signal),
    refetchInterval: EVERY.cases,
    placeholderData: keepPreviousData,
  })
}

/** The travel times of one segment by hour; `ends` are the codes of its checkpoints. */
export function useRoadHours(ends: MaybeRefOrGetter<{ from: string; to: string }>) {
  return useQuery({
    queryKey: ['roads', 'hours', ends],
    queryFn: ({ signal }) => apiGet('/api/roads/hours', toValue(ends), signal),
    refetchInterval: EVERY.cases,
  })
}

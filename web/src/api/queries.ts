/**
 * The endpoints that several pages show, as queries that refresh themselves at an interval. Panels with the same query share
 * one request.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { may } from './access'
import { apiGet } from './client'
import type { TimeSpan } from './types'

/** Refresh intervals in milliseconds. */
export const EVERY = { status: 2_000, overview: 2_000, stats: 5_000, cases: 10_000, slow: 60_000 } as const

export function useOverview() {
  return useQuery({
    queryKey: ['overview'],
    queryFn: ({ signal }) => apiGet('/api/overview', undefined, signal),
    refetchInterval: EVERY.overview,
  })
}

export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => apiGet('/api/status', undefined, signal),
    refetchInterval: EVERY.status,
    // The clock and the banners are on every page, also on those of a user who may not see it.
    enabled: () => may('dashboard'),
  })
}

export function useCheckpoints() {
  return useQuery({
    queryKey: ['checkpoints'],
    queryFn: ({ signal }) => apiGet('/api/checkpoints', undefined, signal),
    refetchInterval: EVERY.slow,
  })
}

/** Passages of the newest minutes by checkpoint. */
export function useRecentFlow(minutes: number) {
  return useQuery({
    queryKey: ['recent', minutes],
    queryFn: ({ signal }) => apiGet('/api/stats/recent', { minutes }, signal),
    refetchInterval: EVERY.stats,
  })
}

export function useHourCounts(span: MaybeRefOrGetter<TimeSpan>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['hour_count', span],
    queryFn: ({ signal }) => apiGet('/api/stats/hour_count', toValue(span), signal),
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
    enabled,
  })
}

export function useCheckpointCounts(span: MaybeRefOrGetter<TimeSpan>, limit: number, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['kkmc_count', span, limit],
    queryFn: ({ signal }) => apiGet('/api/stats/kkmc_count', { ...toValue(span), limit }, signal),
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
    enabled,
  })
}

export function useDistricts(span: MaybeRefOrGetter<TimeSpan>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['map_data', span],
    queryFn: ({ signal }) => apiGet('/api/stats/map_data', toValue(span), signal),
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
    enabled,
  })
}

export function useVehicleTypes(span: MaybeRefOrGetter<TimeSpan>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['vehicle_type', span],
    queryFn: ({ signal }) => apiGet('/api/stats/vehicle_type', toValue(span), signal),
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
    enabled,
  })
}

export function useBrands(span: MaybeRefOrGetter<TimeSpan>, limit: number, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ['vehicle_brand', span, limit],
    queryFn: ({ signal }) => apiGet('/api/stats/vehicle_brand', { ...toValue(span), limit }, signal),
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
    enabled,
  })
}

/** The endpoints of the flow model as queries. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type DataOf } from './client'
import { EVERY } from './queries'
import type { Status } from './types'

export type DayForecast = DataOf<'/api/predict/day'>
export type HourForecast = DayForecast['hours'][number]
export type ModelStatus = DataOf<'/api/predict/model'>

/** The part of `metadata.json` that is shown; a model of another version may lack any of it. */
export interface ModelMetadata {
  trained_from?: { kind: string; path: string; rows: number; rejected: number }
  checkpoints?: number
  first?: string | null
  last?: string | null
  hours?: number
  evaluation?: { train_days: number; tune_days: number; test_days: number; tested: Tested[]; nowcast?: NowcastTested[] } | null
}

export interface Tested {
  name: string
  checkpoints: Metrics
  city: Metrics
}

/** The correction of an hour by those before it: errors with and without. */
export interface NowcastTested {
  hours_ahead: number
  checkpoints: Corrected
  city: Corrected
}

export interface Corrected {
  plain: number | null
  corrected: number | null
  is_served: boolean
}

export interface Metrics {
  rows: number
  mae: number
  rmse: number
  wape: number | null
  coverage: number | null
}

/** `metadata.json` of the model that is served. */
export function metadataOf(status: ModelStatus): ModelMetadata | null {
  return status.metadata ?? null
}

/** Whether a model is served. */
export function hasModel(status: Status | undefined): boolean {
  return status?.model.version != null
}

/** 24 predicted hours of one checkpoint, or of the whole city. */
export function useDayForecast(
  kkmc: MaybeRefOrGetter<string | null>,
  date: MaybeRefOrGetter<string | null>,
  enabled: MaybeRefOrGetter<boolean>,
) {
  return useQuery({
    queryKey: ['predict', 'day', kkmc, date],
    queryFn: ({ signal }) =>
      apiGet('/api/predict/day', { kkmc: toValue(kkmc) ?? undefined, date: toValue(date) ?? undefined }, signal),
    refetchInterval: EVERY.slow,
    placeholderData: keepPreviousData,
    enabled,
  })
}

/** The model that is served, its evaluation, and the state of training. */
export function useModelStatus() {
  return useQuery({
    queryKey: ['predict', 'model'],
    queryFn: ({ signal }) => apiGet('/api/predict/model', undefined, signal),
    refetchInterval: EVERY.stats,
  })
}

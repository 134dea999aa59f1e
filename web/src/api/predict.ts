/** The flow model's endpoints as queries. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { sendJson, withParams } from './client'
import { EVERY } from './queries'
import type { Status } from './types'

export interface ModelBrief {
  kind: string
  version: string
  trained_at: string
  interval: number
  interval_samples: number
}

export interface HourForecast {
  hour: number
  predicted_flow: number
  lower: number
  upper: number
  actual: number | null
}

export interface DayForecast {
  kkmc: string
  label: string
  date: string
  basis: string
  hours: HourForecast[]
  model: ModelBrief
}

export interface ModelStatus {
  model: ModelBrief | null
  metadata: ModelMetadata | null
  folder: string
  problem: string | null
  training: boolean
  training_failure: string | null
  history_hours: number
  min_hours: number | null
  versions: unknown[]
}

/** The part of `metadata.json` that is shown; a model of another version may lack any of it. */
export interface ModelMetadata {
  trained_from?: { kind: string; path: string; rows: number; rejected: number }
  checkpoints?: number
  first?: string | null
  last?: string | null
  hours?: number
  evaluation?: { train_days: number; tune_days: number; test_days: number; tested: Tested[] } | null
  note?: string | null
}

export interface Tested {
  name: string
  checkpoints: Metrics
  city: Metrics
}

export interface Metrics {
  rows: number
  mae: number
  rmse: number
  wape: number | null
  coverage: number | null
}

/** Whether a model is served. */
export function hasModel(status: Status | undefined): boolean {
  const model = status?.model as { version?: string | null } | null | undefined
  return model?.version != null
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
      sendJson<DayForecast>(withParams('/api/predict/day', { kkmc: toValue(kkmc), date: toValue(date) }), { signal }),
    refetchInterval: EVERY.slow,
    placeholderData: keepPreviousData,
    enabled,
  })
}

/** The model that is served, its test, and how training is. */
export function useModelStatus() {
  return useQuery({
    queryKey: ['predict', 'model'],
    queryFn: ({ signal }) => sendJson<ModelStatus>('/api/predict/model', { signal }),
    refetchInterval: EVERY.stats,
  })
}

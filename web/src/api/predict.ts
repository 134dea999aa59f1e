/** The flow model's endpoints as queries. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { sendJson, withParams } from './client'
import { EVERY } from './queries'

export interface HourForecast {
  hour: number
  predicted_flow: number
  lower: number
  upper: number
  actual: number | null
}

export interface DayForecast {
  kkmc: string
  date: string
  hours: HourForecast[]
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

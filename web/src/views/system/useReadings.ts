import { shallowRef, watch, type Ref } from 'vue'

import type { Status } from '@/api/types'

import { rateOf, type Reading, readingOf, remember } from './rates'

/** Readings of the counters since the page was opened, and rates from them. */
export function useReadings(query: { data: Ref<Status | undefined>; dataUpdatedAt: Ref<number> }) {
  const readings = shallowRef<Reading[]>([])
  watch(
    query.dataUpdatedAt,
    (at) => {
      if (query.data.value) readings.value = remember(readings.value, readingOf(query.data.value, at))
    },
    { immediate: true },
  )
  return { readings, rate: (counter: string) => rateOf(readings.value, counter) }
}

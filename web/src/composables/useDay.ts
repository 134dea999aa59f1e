import { computed, type Ref } from 'vue'

import type { Overview, Status } from '@/api/types'
import { addDays, toMillis } from '@/lib/civil'

/** The day that the wall screen shows, from the headline numbers: today, or the last day of older data. */
export function useDay(overview: Ref<Overview | undefined>, status: Ref<Status | undefined>) {
  const day = computed(() => overview.value?.date ?? null)
  const isToday = computed(() => overview.value?.date_is_today ?? true)
  const yesterday = computed(() => (day.value ? addDays(day.value, -1) : null))

  const daySpan = computed(() => (day.value ? { start: `${day.value} 00:00:00`, end: `${day.value} 23:59:59` } : {}))
  const yesterdaySpan = computed(() =>
    yesterday.value ? { start: `${yesterday.value} 00:00:00`, end: `${yesterday.value} 23:59:59` } : {},
  )

  /** Whether that day is still fully retained from `time` on. */
  function retainedSince(time: string): boolean {
    const oldest = status.value?.storage.oldest_gcsj
    return oldest != null && toMillis(oldest) <= toMillis(time) + 60_000
  }
  return { day, isToday, yesterday, daySpan, yesterdaySpan, retainedSince }
}

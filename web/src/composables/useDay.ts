import { computed, type Ref } from 'vue'

import type { Overview, Status } from '@/api/types'
import { addDays, dateOf, toMillis } from '@/lib/civil'

/**
 * The day that the wall screen shows: the server's today; where the newest record is older (a capture of the past, a
 * source that has stopped), the day of that record.
 */
export function useDay(overview: Ref<Overview | undefined>, status: Ref<Status | undefined>) {
  const day = computed(() => {
    const data = overview.value
    if (!data) return null
    const newest = data.newest_gcsj ? dateOf(data.newest_gcsj) : data.date
    return newest < data.date ? newest : data.date
  })
  const isToday = computed(() => day.value != null && day.value === overview.value?.date)
  const yesterday = computed(() => (day.value ? addDays(day.value, -1) : null))

  const daySpan = computed(() => (day.value ? { start: `${day.value} 00:00:00`, end: `${day.value} 23:59:59` } : {}))
  const yesterdaySpan = computed(() =>
    yesterday.value ? { start: `${yesterday.value} 00:00:00`, end: `${yesterday.value} 23:59:59` } : {},
  )

  /** Whether everything of that day from `time` on is still retained. */
  function retainedSince(time: string): boolean {
    const oldest = status.value?.storage.oldest_gcsj
    return oldest != null && toMillis(oldest) <= toMillis(time) + 60_000
  }
  return { day, isToday, yesterday, daySpan, yesterdaySpan, retainedSince }
}

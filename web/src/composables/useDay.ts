import { computed, type Ref } from 'vue'

import type { Overview, Status } from '@/api/types'
import { addDays, addSeconds, dateOf, toMillis } from '@/lib/civil'

/**
 * The day that the wall screen shows: the server's today; where the newest record is older (a capture of the past, a
 * source that has stopped), the day of that record. All spans are whole minutes, so that they change rarely.
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

  /** The minute of the newest record, `…:00`. */
  const minute = computed(() => {
    const newest = overview.value?.newest_gcsj
    return newest ? `${newest.slice(0, 16)}:00` : null
  })

  const daySpan = computed(() => (day.value ? { start: `${day.value} 00:00:00`, end: `${day.value} 23:59:59` } : {}))
  const yesterdaySpan = computed(() =>
    yesterday.value ? { start: `${yesterday.value} 00:00:00`, end: `${yesterday.value} 23:59:59` } : {},
  )
  /** The day before, up to the time of day of the newest record. */
  const yesterdaySoFar = computed(() =>
    yesterday.value && minute.value
      ? { start: `${yesterday.value} 00:00:00`, end: `${yesterday.value} ${minute.value.slice(11)}` }
      : {},
  )
  /** The 60 minutes that end with the newest record's minute. */
  const lastHour = computed(() => (minute.value ? { start: addSeconds(minute.value, -3600), end: minute.value } : {}))

  /** Whether everything of that day from `time` on is still retained. */
  function retainedSince(time: string): boolean {
    const oldest = status.value?.storage.oldest_gcsj
    return oldest != null && toMillis(oldest) <= toMillis(time) + 60_000
  }
  return { day, isToday, yesterday, minute, daySpan, yesterdaySpan, yesterdaySoFar, lastHour, retainedSince }
}

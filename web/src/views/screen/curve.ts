/** The data of the 24-hour curve, for a day that may not be over. Knows no chart. */
import { dateOf } from '@/lib/civil'
import type { Counts } from '@/lib/flowChart'

/**
 * Whether a day has passages in every hour up to the one of `time`. One slow clock reaches before everything else that is
 * stored; to compare with so few would give a nonsensical growth.
 */
export function hasEveryHour(counts: readonly number[] | undefined, time: string | undefined): boolean {
  if (!counts || !time) return false
  const hours = counts.slice(0, Number(time.slice(11, 13)) + 1)
  return hours.length > 0 && hours.every((count) => count > 0)
}

/**
 * The complete hours of a day, and the current one apart, since a partial hour must not look like a decrease. Future hours
 * are null. For a past day all are complete.
 */
export function splitRunning(counts: readonly (number | null)[], day: string | null, newest: string | null): { done: Counts; running: Counts } {
  const running = day != null && newest != null && dateOf(newest) === day ? Number(newest.slice(11, 13)) : 24
  return {
    done: counts.map((count, hour) => (hour < running ? count : null)),
    running: counts.map((count, hour) => (hour === running ? count : null)),
  }
}

/** What the 24-hour curve draws of a day that may still run. Knows no chart. */
import { dateOf } from '@/lib/civil'
import type { Counts } from '@/lib/flowChart'

/**
 * The hours of a day that are complete, and the one that still runs: a part of an hour must not look like a fall. Hours
 * to come are null. Of a day that is over, all are complete.
 */
export function splitRunning(counts: readonly (number | null)[], day: string | null, newest: string | null): { done: Counts; running: Counts } {
  const running = day != null && newest != null && dateOf(newest) === day ? Number(newest.slice(11, 13)) : 24
  return {
    done: counts.map((count, hour) => (hour < running ? count : null)),
    running: counts.map((count, hour) => (hour === running ? count : null)),
  }
}

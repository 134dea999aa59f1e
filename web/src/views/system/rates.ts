/**
 * Rates from counters that are read every few seconds: a bounded list of readings, and the growth per second of each counter
 * over the newest of them. Knows no Vue.
 */
import type { Status } from '@/api/types'

export interface Reading {
  /** Milliseconds of the browser's clock. */
  at: number
  uptime: number
  counters: Readonly<Record<string, number>>
  /** Passages per second, as the server measures it. */
  rate: number
  lag: number | null
}

/** Maximum number of readings: about ten minutes. */
export const KEPT = 300
/** Time over which rates are computed. */
const WINDOW_MS = 10_000

export function readingOf(status: Status, at: number): Reading {
  const { pipeline } = status
  return {
    at,
    uptime: status.uptime_seconds,
    counters: {
      lines: pipeline.lines,
      accepted: pipeline.accepted,
      rejected: pipeline.rejected.total,
      alerts: pipeline.alerts,
      commits: pipeline.commits,
      ...Object.fromEntries(pipeline.by_shard.map((count, shard) => [`shard${shard}`, count])),
      ...Object.fromEntries(status.mirrors.map((mirror) => [mirrorCounter(mirror.name), mirror.cursor])),
    },
    rate: pipeline.records_per_second,
    // A capture that was read completely has no lag, whatever its age.
    lag: status.source.state === 'finished' ? null : (status.lag_seconds ?? null),
  }
}

export function mirrorCounter(name: string): string {
  return `mirror ${name}`
}

/** The readings with one more; they start again after a restart of the process. */
export function remember(readings: readonly Reading[], next: Reading): Reading[] {
  const last = readings.at(-1)
  if (last && next.at <= last.at) return [...readings]
  const before = last && next.uptime < last.uptime ? [] : readings
  return [...before, next].slice(-KEPT)
}

/** Growth per second of a counter over the last ten seconds; null while there is only one reading. */
export function rateOf(readings: readonly Reading[], counter: string): number | null {
  const last = readings.at(-1)
  if (!last) return null
  const first = readings.find((reading) => last.at - reading.at <= WINDOW_MS && counter in reading.counters)
  const [from, to] = [first?.counters[counter], last.counters[counter]]
  if (!first || first === last || from === undefined || to === undefined) return null
  return Math.max(0, (to - from) / ((last.at - first.at) / 1000))
}

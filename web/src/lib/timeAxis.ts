/** Ticks of an axis of civil time at round times. */
import { fromMillis } from './civil'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY]

export interface Tick {
  at: number
  text: string
  /** It is the start of a day. */
  day: boolean
}

/** At most about `most` ticks from `from` to `to`, both in milliseconds of civil time (`lib/civil`). */
export function timeTicks(from: number, to: number, most: number): Tick[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? Math.ceil((to - from) / most / DAY) * DAY
  const ticks: Tick[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const civil = fromMillis(at)
    const day = at % DAY === 0
    ticks.push({ at, day, text: day ? civil.slice(5, 10) : civil.slice(11, 16) })
  }
  return ticks
}

/** A timeline in pixels: time to the right, one row for each place. Knows neither tracks nor cases. */
import { toMillis } from './civil'
import type { Point } from './geo'
import { textWidth } from './labels'
import { type Tick, timeTicks } from './timeAxis'

export interface Entry {
  key: string
  /** Civil time. */
  time: string
  /** Short name of the place. */
  label: string
  /** Entries of one line are joined in the order given; without it the entry stands alone. */
  line?: string
}

/** An entry at its position, and the entry before it on its line. */
export type Mark<T extends Entry> = T & Point & { from: Point | null }

export interface Strip<T extends Entry> {
  left: number
  foot: number
  height: number
  rows: { label: string; y: number }[]
  ticks: (Tick & { x: number })[]
  marks: Mark<T>[]
}

/** Least height of a row in rem. */
const ROW_REM = 1.5
/** Minimum length of the time axis. */
const LEAST_MS = 10 * 60_000

export interface StripBox {
  width: number
  height: number
  rem: number
  /** Least height of a row in rem. */
  rowRem?: number
}

/** `entries` in the order of time; rows in the order of first appearance. */
export function layOutStrip<T extends Entry>(entries: readonly T[], { width, height, rem, rowRem = ROW_REM }: StripBox): Strip<T> {
  const labels = [...new Set(entries.map(({ label }) => label))]
  const left = Math.max(0, ...labels.map((label) => textWidth(label, 0.8125 * rem))) + 1.5 * rem
  const rowHeight = Math.max(rowRem * rem, (height - 1.8 * rem) / Math.max(1, labels.length))
  const foot = rowHeight * labels.length
  const yOf = new Map(labels.map((label, index) => [label, (index + 0.5) * rowHeight]))

  const times = entries.map(({ time }) => toMillis(time))
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0]
  const missing = Math.max(0, LEAST_MS - (last - first)) / 2
  const [from, to] = [first - missing, last + missing]
  const right = Math.max(left + 1, width - 2 * rem)
  const xOf = (at: number) => left + rem + ((at - from) / Math.max(1, to - from)) * (right - left - rem)

  const before = new Map<string, Point>()
  const marks = entries.map((entry, index): Mark<T> => {
    const at = { x: xOf(times[index] ?? from), y: yOf.get(entry.label) ?? 0 }
    const mark = { ...entry, ...at, from: (entry.line !== undefined && before.get(entry.line)) || null }
    if (entry.line !== undefined) before.set(entry.line, at)
    return mark
  })
  const most = Math.max(2, Math.floor((right - left) / (5 * rem)))
  return {
    left,
    foot,
    height: foot + 1.8 * rem,
    rows: labels.map((label) => ({ label, y: yOf.get(label) ?? 0 })),
    ticks: timeTicks(from, to, most).map((tick) => ({ ...tick, x: xOf(tick.at) })),
    marks,
  }
}

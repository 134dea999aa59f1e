/** Positions on the timeline, in pixels. */
import { toMillis } from '@/lib/civil'
import { textWidth } from '@/lib/labels'
import { type Tick, timeTicks } from '@/lib/timeAxis'

import { placesOf, type Step } from './track'

export interface Mark {
  gcxh: string
  x: number
  y: number
  time: string
  label: string
  impossible: boolean
  /** The mark before; null for the first one. */
  from: { x: number; y: number } | null
}

export interface Strip {
  left: number
  foot: number
  height: number
  rows: { label: string; y: number }[]
  ticks: (Tick & { x: number })[]
  marks: Mark[]
}

/** Minimum length of the time axis. */
const LEAST_MS = 10 * 60_000

export function layOut(steps: readonly Step[], { width, height, rem }: { width: number; height: number; rem: number }): Strip {
  const labels = placesOf(steps)
  const left = Math.max(0, ...labels.map((label) => textWidth(label, 0.8125 * rem))) + 1.5 * rem
  const rowHeight = Math.max(1.5 * rem, (height - 1.8 * rem) / Math.max(1, labels.length))
  const foot = rowHeight * labels.length
  const yOf = new Map(labels.map((label, index) => [label, (index + 0.5) * rowHeight]))

  const times = steps.map(({ passage }) => toMillis(passage.GCSJ))
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0]
  const missing = Math.max(0, LEAST_MS - (last - first)) / 2
  const [from, to] = [first - missing, last + missing]
  const right = Math.max(left + 1, width - 2 * rem)
  const xOf = (at: number) => left + rem + ((at - from) / Math.max(1, to - from)) * (right - left - rem)

  let before: { x: number; y: number } | null = null
  const marks = steps.map(({ passage, hop }, index): Mark => {
    const at = { x: xOf(times[index] ?? from), y: yOf.get(passage.KKMC_LABEL) ?? 0 }
    const mark = { ...at, gcxh: passage.GCXH, time: passage.GCSJ, label: passage.KKMC_LABEL, impossible: hop?.impossible ?? false, from: before }
    before = at
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

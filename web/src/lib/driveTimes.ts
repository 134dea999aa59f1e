/** The travel times of a way as they are drawn: the middle one, and round marks on the axis. Knows no component. */
import type { CaseTimes } from '@/api/types'

/** The time below which half of the drives lie, in seconds; null if that is beyond the last bucket. */
export function medianOf({ shares, bucket_seconds, longer_share }: Pick<CaseTimes, 'shares' | 'bucket_seconds' | 'longer_share'>): number | null {
  // Shares are rounded, so that together they are not exactly 1.
  const half = (shares.reduce((sum, share) => sum + share, 0) + longer_share) / 2
  let below = 0
  for (const [place, share] of shares.entries()) {
    if (below + share >= half && share > 0) return (place + (half - below) / share) * bucket_seconds
    below += share
  }
  return null
}

/** Steps that people count time in, in seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600]

/** Marks from 0 to `end` seconds, at most `most` after the first. */
export function ticksOf(end: number, most: number): number[] {
  const step = STEPS.find((candidate) => end / candidate <= most) ?? 3600
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step)
}

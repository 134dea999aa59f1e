import { expect, test } from 'vitest'

import { medianOf, ticksOf } from '@/lib/driveTimes'

test('the middle drive lies within its bucket, or beyond the last', () => {
  expect(medianOf({ bucket_seconds: 60, shares: [0, 0.25, 0.5, 0.25], longer_share: 0 })).toBe(150)
  expect(medianOf({ bucket_seconds: 60, shares: [0.2, 0.2], longer_share: 0.6 })).toBeNull()
  // Rounded shares do not add up to 1.
  expect(medianOf({ bucket_seconds: 10, shares: [0.3333, 0.3333, 0.3333], longer_share: 0 })).toBeCloseTo(15, 5)
  expect(medianOf({ bucket_seconds: 10, shares: [], longer_share: 1 })).toBeNull()
})

test('marks on the axis are round and few', () => {
  expect(ticksOf(2400, 5)).toEqual([0, 600, 1200, 1800, 2400])
  expect(ticksOf(40, 4)).toEqual([0, 10, 20, 30, 40])
  expect(ticksOf(45, 3)).toEqual([0, 15, 30, 45])
  expect(ticksOf(24_000, 8)).toEqual([0, 3600, 7200, 10_800, 14_400, 18_000, 21_600])
})

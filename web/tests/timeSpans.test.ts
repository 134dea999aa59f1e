import { expect, test } from 'vitest'

import { toMillis } from '@/lib/civil'
import { timeTicks } from '@/lib/timeAxis'
import { spanOf } from '@/lib/timeSpans'

test('spans that are asked for most', () => {
  const now = '2026-03-01 00:30:00'
  expect(spanOf('hour', now)).toEqual({ start: '2026-02-28 23:30:00', end: '' })
  expect(spanOf('day', now)).toEqual({ start: '2026-02-28 00:30:00', end: '' })
  expect(spanOf('today', now)).toEqual({ start: '2026-03-01 00:00:00', end: '2026-03-01 23:59:59' })
  expect(spanOf('yesterday', now)).toEqual({ start: '2026-02-28 00:00:00', end: '2026-02-28 23:59:59' })
})

test('marks stand at round times and name the day where one begins', () => {
  const ticks = timeTicks(toMillis('2026-11-22 20:21:19'), toMillis('2026-11-23 03:00:00'), 4)
  expect(ticks.map(({ text }) => text)).toEqual(['22:00', '11-23', '02:00'])
  expect(ticks.map(({ day }) => day)).toEqual([false, true, false])
})

test.each([1, 90, 86_400, 40 * 86_400, 900 * 86_400])('a span of %i s has few marks', (seconds) => {
  const from = toMillis('2024-01-01 00:00:00')
  expect(timeTicks(from, from + seconds * 1000, 8).length).toBeLessThanOrEqual(9)
})

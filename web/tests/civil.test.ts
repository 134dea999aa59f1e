import { describe, expect, test } from 'vitest'

import { addDays, addSeconds, dateOf, fromMillis, isDate, secondsBetween, toMillis } from '@/lib/civil'

describe('civil time', () => {
  test.each(['2026-11-23 13:03:44', '2000-01-01 00:00:00', '2024-02-29 23:59:59'])('%s survives the axis', (time) =>
    expect(fromMillis(toMillis(time))).toBe(time),
  )

  test('takes a date, a T and minutes', () => {
    expect(toMillis('2026-11-23')).toBe(toMillis('2026-11-23 00:00:00'))
    expect(toMillis('2026-11-23T13:03')).toBe(toMillis('2026-11-23 13:03:00'))
  })

  test.each(['', 'yesterday', '2026-11', '23.11.2026'])('%j is no time', (text) => expect(toMillis(text)).toBeNaN())

  test('days are added over the ends of months and years', () => {
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29')
    expect(addDays('2026-03-01', -1)).toBe('2026-02-28')
    expect(addDays('2026-12-31 23:00:00', 1)).toBe('2027-01-01')
  })

  test('no hour is lost or doubled, whatever zone the browser is in', () => {
    // The night in which Europe's clocks go forward.
    expect(addSeconds('2026-03-29 01:59:59', 1)).toBe('2026-03-29 02:00:00')
    expect(secondsBetween('2026-03-29 00:00:00', '2026-03-30 00:00:00')).toBe(86_400)
  })

  test('a date must exist', () => {
    expect(isDate('2024-02-29')).toBe(true)
    expect(isDate('2023-02-29')).toBe(false)
    expect(isDate('2024-13-01')).toBe(false)
    expect(isDate('2024-02-29 00:00:00')).toBe(false)
    expect(isDate('')).toBe(false)
    expect(dateOf('2024-02-29 10:00:00')).toBe('2024-02-29')
  })
})

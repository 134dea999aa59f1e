import { describe, expect, test } from 'vitest'
import { ref } from 'vue'

import type { HourForecast } from '@/api/predict'
import type { Overview, Status } from '@/api/types'
import { useDay } from '@/composables/useDay'
import { learntUntil, summarise } from '@/lib/forecast'
import { hasEveryHour, splitRunning } from '@/views/screen/curve'

function dayOf(date: string, oldest: string | null = null) {
  const overview = { date, date_is_today: date === '2026-11-23' } as Overview
  const status = { storage: { oldest_gcsj: oldest } } as unknown as Status
  return useDay(ref(overview), ref(status))
}

describe('the day on the wall', () => {
  test('is today while records come in', () => {
    const day = dayOf('2026-11-23')
    expect([day.day.value, day.isToday.value, day.yesterday.value]).toEqual(['2026-11-23', true, '2026-11-22'])
    expect(day.daySpan.value).toEqual({ start: '2026-11-23 00:00:00', end: '2026-11-23 23:59:59' })
  })

  test('is the day of the newest record of a capture of the past', () => {
    const day = dayOf('2024-01-01')
    expect([day.day.value, day.isToday.value, day.yesterday.value]).toEqual(['2024-01-01', false, '2023-12-31'])
  })

  test('is not known before the server has answered', () => {
    const day = useDay(ref(undefined), ref(undefined))
    expect([day.day.value, day.isToday.value, day.daySpan.value]).toEqual([null, true, {}])
  })

  test('knows what is no longer retained', () => {
    const day = dayOf('2026-11-23', '2026-11-22 13:01:00')
    expect(day.retainedSince('2026-11-22 13:00:00')).toBe(true)
    expect(day.retainedSince('2026-11-22 12:00:00')).toBe(false)
    expect(dayOf('2026-11-23').retainedSince('2026-11-23 00:00:00')).toBe(false)
  })
})

describe('the day before', () => {
  test('is compared with only if it was recorded up to this time of day', () => {
    expect(hasEveryHour([10, 20, 30, 0], '2026-11-23 02:10:00')).toBe(true)
    expect(hasEveryHour([0, 0, 3, 900], '2026-11-23 02:10:00')).toBe(false)
    expect(hasEveryHour([], '2026-11-23 02:10:00')).toBe(false)
    expect(hasEveryHour(undefined, undefined)).toBe(false)
  })
})

describe('the hour that runs', () => {
  const counts = [10, 20, 30, 0]

  test('is drawn apart, and those to come not at all', () => {
    expect(splitRunning(counts, '2026-11-23', '2026-11-23 02:10:00')).toEqual({
      done: [10, 20, null, null],
      running: [null, null, 30, null],
    })
  })

  test('is none on a day that is over', () => {
    expect(splitRunning(counts, '2026-11-22', '2026-11-23 02:10:00')).toEqual({ done: counts, running: [null, null, null, null] })
  })
})

describe('a forecast against what was counted', () => {
  const hour = (predicted_flow: number, actual: number | null): HourForecast => ({ hour: 0, predicted_flow, lower: predicted_flow - 10, upper: predicted_flow + 10, actual })

  test('counts errors and hits over the hours that are over', () => {
    expect(summarise([hour(100, 105), hour(100, 80), hour(50, null)])).toEqual({
      predicted: 250,
      hours: 2,
      actual: 185,
      predictedSoFar: 200,
      judged: 2,
      wape: 25 / 185,
      inside: 1,
    })
  })

  test('is not judged by hours that the model has learnt from', () => {
    const hours = [hour(100, 100), hour(100, 80)].map((one, index) => ({ ...one, hour: index }))
    expect(summarise(hours, 0)).toMatchObject({ hours: 2, judged: 1, inside: 0, wape: 20 / 80 })
    expect(summarise(hours, 23)).toMatchObject({ hours: 2, judged: 0, wape: null })
  })

  test.each([
    ['2026-11-22', '2026-11-23 14:00:00', 23],
    ['2026-11-23', '2026-11-23 14:00:00', 14],
    ['2026-11-24', '2026-11-23 14:00:00', -1],
    ['2026-11-23', null, -1],
  ])('of %s, a model that learnt until %s knows the hours up to %s', (date, last, until) => expect(learntUntil(date, last)).toBe(until))

  test('has no error where nothing was counted', () => {
    expect(summarise([hour(5, null)]).wape).toBeNull()
    expect(summarise([hour(5, 0)]).wape).toBeNull()
  })
})

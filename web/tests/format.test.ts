import { describe, expect, test } from 'vitest'

import { bytes, compact, decimal, integer, monthDayTime, percent, span, timeOfDay } from '@/lib/format'

describe('numbers', () => {
  test.each([
    [0, '0'],
    [2116090, '2,116,090'],
    [12.6, '13'],
    [-5, '-5'],
    [null, '—'],
    [undefined, '—'],
    [Number.NaN, '—'],
    [Infinity, '—'],
  ])('integer %s is %s', (value, text) => expect(integer(value, 'zh')).toBe(text))

  test('decimals keep what is needed and no more', () => {
    expect(decimal(6.5, 'zh')).toBe('6.5')
    expect(decimal(6, 'zh')).toBe('6')
    expect(decimal(1234.56, 'en')).toBe('1,234.6')
    expect(decimal(0.456, 'en', 2)).toBe('0.46')
  })

  test('a short number is said as the language says it', () => {
    expect(compact(2116090, 'zh')).toBe('211.6万')
    expect(compact(2116090, 'en')).toBe('2.1M')
  })

  test('a share is told in percent', () => {
    expect(percent(0.7621, 'zh')).toBe('76.2%')
    expect(percent(0.8, 'en', 0)).toBe('80%')
    expect(percent(null, 'en')).toBe('—')
  })
})

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [51546776, '49.2 MiB'],
    [3 * 1024 ** 4, '3 TiB'],
    [5000 * 1024 ** 4, '5,000 TiB'],
    [null, '—'],
  ])('%s is %s', (value, text) => expect(bytes(value, 'en')).toBe(text))
})

describe('spans', () => {
  test.each([
    [0, '0 秒'],
    [0.4, '0 秒'],
    [59.6, '1 分'],
    [291, '4 分 51 秒'],
    [300, '5 分'],
    [3600, '1 小时'],
    [3601, '1 小时'],
    [90061, '1 天 1 小时'],
    [-3, '0 秒'],
    [null, '—'],
  ])('%s seconds are %s', (value, text) => expect(span(value, 'zh')).toBe(text))

  test('in English', () => expect(span(291, 'en')).toBe('4 min 51 s'))
})

describe('civil times', () => {
  test('are cut, never shifted to another zone', () => {
    expect(timeOfDay('2026-11-23 13:03:44')).toBe('13:03:44')
    expect(monthDayTime('2026-11-23 13:03:44')).toBe('11-23 13:03:44')
  })

  test('that are not known show a dash', () => {
    expect(timeOfDay(null)).toBe('—')
    expect(monthDayTime(undefined)).toBe('—')
    expect(timeOfDay('2026-11-23')).toBe('—')
  })
})

// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { CaseBrief, CaseCar, CasePair, CaseSighting, Checkpoint } from '@/api/types'
import { useCaseText } from '@/composables/useCaseText'
import { locale } from '@/i18n'
import { brandOf, carWays, entriesOf, roughSeconds, sharesOf, strongestPair, visitsOf } from '@/lib/cases'
import { Catalogue } from '@/lib/catalogue'
import { probability } from '@/lib/format'
import { layOutStrip } from '@/lib/strip'

import { run } from './mount'

const place = (code: string, lon: number | null) => ({ code, kkmc: code, label: code.toUpperCase(), lon, lat: lon && 34 }) as Checkpoint
const catalogue = new Catalogue([place('a', 117), place('b', 117.5), place('c', 118), place('nowhere', null)])

const seen = (kkmc: string, time: string, brand: string | null = '大众') =>
  ({ kkmc, time: `2024-01-01 ${time}`, corrected_time: `2024-01-01 ${time}`, gcxh: `${kkmc} ${time}`, hpzl: '02', brand }) as CaseSighting
const pair = (gap_seconds: number, fastest_seconds: number) =>
  ({ earlier: seen('a', '08:00:00'), later: seen('b', '08:04:00'), gap_seconds, fastest_seconds }) as CasePair
const cars: CaseCar[] = [
  { sightings: [seen('a', '08:00:00'), seen('b', '08:30:00'), seen('a', '09:00:00'), seen('nowhere', '10:00:00', null)], next: [] },
  { sightings: [seen('b', '08:04:00', '丰田'), seen('c', '08:40:00', '丰田'), seen('c', '08:50:00', null)], next: [] },
]

describe('the strongest contradiction', () => {
  test('is the one with the smallest gap for its way', () => {
    expect(strongestPair([pair(240, 1260), pair(100, 200), pair(900, 1000)])).toEqual(pair(240, 1260))
    expect(strongestPair([])).toBeNull()
  })

  test('of several in the same second it has the longest way', () => {
    expect(strongestPair([pair(0, 600), pair(0, 3000), pair(0, 1200)])?.fastest_seconds).toBe(3000)
  })

  test('its way is told in whole minutes, never longer than it is', () => {
    expect([59.9, 599, 600, 3185].map(roughSeconds)).toEqual([59, 599, 600, 3180])
  })
})

describe('the sentence', () => {
  const why = async (found: Pick<CaseBrief, 'contradictions' | 'strongest'>) => (await run(useCaseText)).result.why(found)

  beforeEach(() => (locale.value = 'zh'))
  afterEach(() => (locale.value = 'zh'))

  test('says how often, what the road allows, and what was measured', async () => {
    expect(await why({ contradictions: 3, strongest: pair(240, 1290) })).toBe('3 次矛盾：两地间最快 21 分，实测 4 分')
  })

  test('in English counts one and many', async () => {
    locale.value = 'en'
    expect(await why({ contradictions: 1, strongest: pair(240, 1290) })).toBe('1 contradiction: the fastest way takes 21 min, 4 min was measured')
    expect(await why({ contradictions: 1200, strongest: null })).toBe('1,200 contradictions')
  })
})

describe('the bar of explanations', () => {
  test('fills exactly the bar, in a fixed order, whatever rounding left', () => {
    const shares = sharesOf({ fast: 0.1, clock: 0.2, clone: 0.6999, misread: 0, plate_types: 0.0004 })
    expect(shares.map(({ cause }) => cause)).toEqual(['clone', 'misread', 'clock', 'plate_types', 'fast'])
    expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
    expect(shares.filter(({ share }) => share === 0).map(({ cause }) => cause)).toEqual(['misread', 'plate_types'])
    expect(shares.find(({ cause }) => cause === 'plate_types')?.probability).toBe(0.0004)
  })

  test('nothing is certain', () => {
    expect([1, 0.9996, 0.9994, 0.5, 0.0004, 0, null].map((value) => probability(value, 'en'))).toEqual(['>99.9%', '>99.9%', '99.9%', '50%', '<0.1%', '<0.1%', '—'])
  })
})

describe('the two cars', () => {
  test('stand on one timeline in the order of time, each joined to itself, strangers alone', () => {
    const entries = entriesOf({ cars, strangers: [seen('c', '08:10:00')] }, catalogue)
    expect(entries.map(({ tone }) => tone)).toEqual(['first', 'second', 'stranger', 'first', 'second', 'second', 'first', 'first'])
    const { marks, rows } = layOutStrip(entries, { width: 800, height: 300, rem: 16 })
    expect(rows.map(({ label }) => label)).toEqual(['A', 'B', 'C', 'NOWHERE'])
    expect(marks.map(({ from }) => from !== null)).toEqual([false, false, false, true, true, true, true, true])
    const [first, second, , third] = marks
    expect(third?.from).toEqual({ x: first?.x, y: first?.y })
    expect(marks[4]?.from).toEqual({ x: second?.x, y: second?.y })
  })

  test('have their moves on the map, each pair of places once, and what has no place is left out', () => {
    expect(cars.map((car) => carWays(car, catalogue).map(({ from, to }) => [from.code, to.code]))).toEqual([[['b', 'a']], [['b', 'c']]])
    expect(visitsOf(cars, catalogue).map(({ place: { code }, cars: own }) => [code, own])).toEqual([['a', [0]], ['b', [0, 1]], ['c', [1]]])
  })

  test('are known by the brand that was read most often', () => {
    expect(cars.map(brandOf)).toEqual(['大众', '丰田'])
    expect(brandOf({ sightings: [seen('a', '08:00:00', null)], next: [] })).toBeNull()
  })
})

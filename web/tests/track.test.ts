import { describe, expect, test } from 'vitest'

import type { Checkpoint, Hop, Passage, Track } from '@/api/types'
import { Catalogue } from '@/lib/catalogue'
import { layOut } from '@/views/track/strip'
import { impossibleOf, isPattern, placesOf, stepsOf, visitsOf, waysOf } from '@/views/track/track'

const place = (code: string, lon: number | null) => ({ code, kkmc: `${code} in full`, label: code.toUpperCase(), lon, lat: lon && 34 }) as Checkpoint
const catalogue = new Catalogue([place('a', 117), place('b', 117.5), place('c', 118), place('nowhere', null)])

const passage = (GCXH: string, KKMC: string, time: string) =>
  ({ GCXH, KKMC, KKMC_LABEL: catalogue.label(KKMC), GCSJ: `2026-11-23 ${time}` }) as Passage
const hop = (impossible: boolean) => ({ impossible, gap_seconds: 60 }) as Hop

const track = {
  hphm: '苏C1', total: 5, compared: true,
  records: [passage('1', 'a', '08:00:00'), passage('2', 'b', '09:00:00'), passage('3', 'a in full', '10:00:00'), passage('4', 'c', '10:01:00'), passage('5', 'nowhere', '11:00:00')],
  hops: [hop(false), hop(false), hop(true), hop(false)],
} as unknown as Track
const steps = stepsOf(track)

describe('steps', () => {
  test('hold the hop that led there', () => {
    expect(steps.map(({ hop }) => hop?.impossible ?? null)).toEqual([null, false, false, true, false])
    expect(impossibleOf(steps)).toBe(1)
  })

  test('name each checkpoint once, under whatever name it was recorded', () => {
    expect(placesOf(steps)).toEqual(['A', 'B', 'C', 'NOWHERE'])
  })
})

describe('ways on the map', () => {
  const ways = waysOf(steps, catalogue, '2')

  test('there and back are one way, and what cannot be is another', () => {
    expect(ways.map(({ from, to, count, impossible }) => [from.code, to.code, count, impossible])).toEqual(
      expect.arrayContaining([['a', 'b', 2, false], ['a', 'c', 1, true]]),
    )
    expect(ways).toHaveLength(2)
  })

  test('the one that is chosen lies on top', () => {
    expect(ways.at(-1)).toMatchObject({ chosen: true, impossible: false })
    expect(waysOf(steps, catalogue, '').at(-1)).toMatchObject({ chosen: false, impossible: true })
  })

  test('visits are counted by code; what has no place is told', () => {
    expect(visitsOf(steps, catalogue)).toEqual({ visits: new Map([['a', 2], ['b', 1], ['c', 1]]), unlocated: 1 })
  })
})

describe('the time line', () => {
  const strip = layOut(steps, { width: 800, height: 300, rem: 16 })

  test('goes to the right with time and has a row for each checkpoint', () => {
    const xs = strip.marks.map(({ x }) => x)
    expect([...xs].sort((a, b) => a - b)).toEqual(xs)
    expect(xs.every((x) => x > strip.left && x < 800)).toBe(true)
    expect(strip.rows.map(({ label }) => label)).toEqual(['A', 'B', 'C', 'NOWHERE'])
    expect(strip.marks[0]?.y).toBe(strip.marks[2]?.y)
  })

  test('marks what cannot be', () => {
    expect(strip.marks.filter(({ impossible }) => impossible).map(({ gcxh }) => gcxh)).toEqual(['4'])
  })

  test('a single sighting stands in the middle; many checkpoints grow beyond the panel', () => {
    const one = layOut(steps.slice(0, 1), { width: 800, height: 300, rem: 16 })
    expect(one.marks[0]?.from).toBeNull()
    expect(Number.isFinite(one.marks[0]?.x)).toBe(true)
    expect(layOut(steps, { width: 800, height: 50, rem: 16 }).height).toBeGreaterThan(50)
    expect(layOut([], { width: 800, height: 50, rem: 16 }).marks).toEqual([])
  })
})

test('wildcards ask for several plates', () => {
  expect(['苏C*', '苏C?1', '苏C12345'].map(isPattern)).toEqual([true, true, false])
})

import { describe, expect, test } from 'vitest'

import type { Checkpoint, Road, RoadHours } from '@/api/types'
import { Catalogue } from '@/lib/catalogue'
import { countLevels, roadCurves, roadLines, toTheRight } from '@/lib/roads'

function checkpoint(code: string, lon: number | null): Checkpoint {
  return { code, kkmc: `全名${code}`, label: `名${code}`, xzqhmc: '', road: '', lon, lat: lon === null ? null : 34, neighbours: [] }
}

function road(from: string, to: string, level: Road['level'], median: number | null = 600): Road {
  const end = (code: string) => ({ code, label: `名${code}` })
  return {
    from: end(from), to: end(to), link: 'driven', level, basis: level ? 'quarter' : 'too_few', index: level ? 1.3 : null,
    median_seconds: level ? median : null, free_flow_seconds: 480, cars: 9, speed_kmh: null, distance_km: null, distance_basis: null,
  }
}

const catalogue = new Catalogue([checkpoint('a', 117), checkpoint('b', 118), checkpoint('c', null)])

describe('lines on the map', () => {
  test('each direction lies to the right of its own', () => {
    // To the east, right is down on a screen; to the west, up.
    expect(toTheRight({ x: 0, y: 0 }, { x: 10, y: 0 }, 2)).toEqual({ from: { x: 0, y: 2 }, to: { x: 10, y: 2 } })
    expect(toTheRight({ x: 10, y: 0 }, { x: 0, y: 0 }, 2).from.y).toBe(-2)
    // Northwards, right is to the east.
    expect(toTheRight({ x: 0, y: 10 }, { x: 0, y: 0 }, 2).from).toEqual({ x: 2, y: 10 })
    expect(toTheRight({ x: 5, y: 5 }, { x: 5, y: 5 }, 2).from).toEqual({ x: 5, y: 5 })
  })

  test('the worst is drawn last, and what has no level or no place is not drawn', () => {
    const roads = [road('b', 'a', 'severe'), road('a', 'b', 'free'), road('a', 'c', 'light'), road('a', 'b', null)]
    const lines = roadLines(roads, catalogue, ({ lon }) => ({ x: lon, y: 0 }), 1)
    expect(lines.map(({ level }) => level)).toEqual(['free', 'severe'])
    expect(lines.map(({ from }) => from.x)).toEqual([117, 118])
  })
})

test('levels are counted, the best first', () => {
  const { levels, unknown } = countLevels([road('a', 'b', 'severe'), road('b', 'a', 'free'), road('a', 'c', 'free'), road('c', 'a', null)])
  expect(levels.map(({ level, count }) => `${level} ${count}`)).toEqual(['free 2', 'mostly_free 0', 'light 0', 'moderate 0', 'severe 1'])
  expect(unknown).toBe(1)
})

test('curves are minutes by hour, and the forecast goes on from what cars take now', () => {
  const hours: RoadHours = {
    state: 'ready',
    time: '2024-01-05 22:30:00',
    road: road('a', 'b', 'light', 900),
    today: [{ hour: 8, cars: 20, low_seconds: 540, median_seconds: 600, high_seconds: 720 }],
    profile: [{ hour: 23, days: 4, low_seconds: 480, median_seconds: 510, high_seconds: 570 }],
    expected: [
      { time: '2024-01-05 23:00:00', low_seconds: 620, median_seconds: 663, high_seconds: 741, factor: 1.3 },
      { time: '2024-01-06 00:00:00', low_seconds: 500, median_seconds: 540, high_seconds: 600, factor: 1.1 },
    ],
    decay: 0.3,
    measured: null,
  }
  const { today, expected, profile, lower, upper } = roadCurves(hours)
  expect([today[8], today[22], today[23]]).toEqual([10, 15, null])
  // What lies beyond midnight is not of this day.
  expect([expected[0], expected[22], expected[23]]).toEqual([null, 15, 11.1])
  expect([profile[23], lower[23], upper[23], profile[0]]).toEqual([8.5, 8, 9.5, null])
  const quiet = roadCurves({ ...hours, time: null, road: road('a', 'b', null), expected: [] })
  expect([quiet.today[22], quiet.expected.every((value) => value === null)]).toEqual([null, true])
})

import { describe, expect, test } from 'vitest'

import { Projection, scaleBar } from '@/lib/geo'

const BOX = { width: 800, height: 400, padding: { top: 20, right: 40, bottom: 30, left: 40 } }
const PLACES = [
  { lon: 116.49, lat: 34.92 },
  { lon: 118.61, lat: 33.9 },
  { lon: 117.4, lat: 34.5 },
]

describe('projection', () => {
  test('all places lie within the padding', () => {
    const projection = Projection.fit(PLACES, BOX)
    for (const place of PLACES) {
      const { x, y } = projection.toPoint(place)
      expect(x).toBeGreaterThanOrEqual(40 - 1e-6)
      expect(x).toBeLessThanOrEqual(760 + 1e-6)
      expect(y).toBeGreaterThanOrEqual(20 - 1e-6)
      expect(y).toBeLessThanOrEqual(370 + 1e-6)
    }
  })

  test('north is up, east is right, and the way back leads home', () => {
    const projection = Projection.fit(PLACES, BOX)
    const [northWest, southEast] = [projection.toPoint({ lon: 116.49, lat: 34.92 }), projection.toPoint({ lon: 118.61, lat: 33.9 })]
    expect(northWest.x).toBeLessThan(southEast.x)
    expect(northWest.y).toBeLessThan(southEast.y)
    const back = projection.toPlace(projection.toPoint({ lon: 117.4, lat: 34.5 }))
    expect(back.lon).toBeCloseTo(117.4, 9)
    expect(back.lat).toBeCloseTo(34.5, 9)
  })

  test('a degree of longitude is as much shorter as it is on the ground', () => {
    const projection = Projection.fit(PLACES, BOX)
    const east = projection.xOf(118) - projection.xOf(117)
    const north = projection.yOf(34) - projection.yOf(35)
    expect(east / north).toBeCloseTo(Math.cos((34.41 * Math.PI) / 180), 2)
  })

  test('a single place stands in the middle, at a scale that is finite', () => {
    const projection = Projection.fit([{ lon: 117, lat: 34 }], BOX)
    expect(projection.toPoint({ lon: 117, lat: 34 })).toEqual({ x: 400, y: 195 })
    expect(Number.isFinite(projection.pixelsPerKm)).toBe(true)
  })
})

test.each([
  [4.1, 120, 20],
  [0.5, 100, 200],
  [100, 120, 1],
  [1000, 120, 0.1],
])('at %s pixels per km, %s pixels hold a bar of %s km', (pixelsPerKm, room, km) => {
  const bar = scaleBar(pixelsPerKm, room)
  expect(bar.km).toBeCloseTo(km, 9)
  expect(bar.pixels).toBeCloseTo(km * pixelsPerKm, 9)
  expect(bar.pixels).toBeLessThanOrEqual(room + 1e-9)
})

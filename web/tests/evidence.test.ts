import { describe, expect, test } from 'vitest'

import { placeEvidence, rectOf, separate, type Size } from '@/lib/evidence'
import type { Point } from '@/lib/geo'
import { overlap, type Rect } from '@/lib/labels'

const RADIUS = 11
const GAP = 4
const NAMES: Size[] = [
  { width: 150, height: 17 },
  { width: 130, height: 17 },
]
const CAPTION: Size = { width: 160, height: 26 }

/** Numbers of 0 to 1 that are the same in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

const bounds = (width: number, height: number): Rect => ({ x: 0, y: 0, width, height })

function rects(points: readonly Point[], placed: ReturnType<typeof placeEvidence>): Rect[] {
  const marks = points.map(({ x, y }) => ({ x: x - RADIUS, y: y - RADIUS, width: 2 * RADIUS, height: 2 * RADIUS }))
  const names = placed.names.flatMap((place, index) => (place ? [rectOf(place, NAMES[index] ?? CAPTION)] : []))
  const { caption } = placed
  const between = caption ? [{ x: caption.x - CAPTION.width / 2, y: caption.y - CAPTION.height / 2, ...CAPTION }] : []
  return [...marks, ...names, ...between]
}

function expectApart(all: readonly Rect[], marks: number, box: Rect, what: string) {
  all.forEach((rect, index) => {
    // The marks themselves are round: their distance tells.
    for (const other of all.slice(Math.max(index + 1, marks))) expect(overlap(rect, other), what).toBe(false)
  })
  for (const { x, y, width, height } of all) {
    expect(x >= box.x - RADIUS && y >= box.y - RADIUS && x + width <= box.width + RADIUS && y + height <= box.height + RADIUS, what).toBe(true)
  }
}

describe('the words on the map of an alert', () => {
  for (const [width, height] of [
    [1000, 330],
    [800, 330],
    [560, 300],
    [420, 280],
  ] as const) {
    test(`nothing covers anything, and all of it is there, at ${width}×${height}`, () => {
      const next = random(width)
      const box = bounds(width, height)
      // The projection leaves room at the edges.
      const point = () => ({ x: 65 + next() * (width - 130), y: 21 + next() * (height - 50) })
      for (let round = 0; round < 120; round += 1) {
        const one = point()
        // Every other pair is close together, as checkpoints on one road are.
        const other = round % 2 ? { x: one.x + 40 * (next() - 0.5), y: one.y + 40 * (next() - 0.5) } : point()
        const points = separate([one, other], RADIUS)
        const placed = placeEvidence(points, RADIUS, NAMES, CAPTION, { bounds: box, gap: GAP, dots: [] })
        const what = JSON.stringify(points)
        expectApart(rects(points, placed), points.length, box, what)
        const [a, b] = points
        expect(Math.hypot((a?.x ?? 0) - (b?.x ?? 0), (a?.y ?? 0) - (b?.y ?? 0)), what).toBeGreaterThanOrEqual(2 * RADIUS + 1)
        expect(placed.names.every(Boolean) && placed.caption !== null, what).toBe(true)
      }
    }, 60_000)
  }

  test('in a map too small for them texts are left out, not put above one another', () => {
    const points = [
      { x: 30, y: 20 },
      { x: 70, y: 20 },
    ]
    const placed = placeEvidence(points, RADIUS, NAMES, CAPTION, { bounds: bounds(100, 40), gap: GAP, dots: [] })
    expect(placed).toEqual({ names: [null, null], caption: null })
  })

  test('one sighting alone has a name and no caption', () => {
    const placed = placeEvidence([{ x: 200, y: 100 }], RADIUS, NAMES, CAPTION, { bounds: bounds(400, 200), gap: GAP, dots: [] })
    expect(placed).toEqual({ names: [{ x: 215, y: 100, anchor: 'start' }], caption: null })
  })

  test('a name keeps off the dot of another checkpoint', () => {
    const scene = { bounds: bounds(400, 200), gap: GAP, dots: [{ x: 250, y: 100 }] }
    expect(placeEvidence([{ x: 200, y: 100 }], RADIUS, NAMES, null, scene).names[0]?.anchor).toBe('end')
  })

  test('two sightings at one place stand side by side', () => {
    const [a, b] = separate([{ x: 50, y: 50 }, { x: 50, y: 50 }], RADIUS)
    expect([a, b]).toEqual([{ x: 38, y: 50 }, { x: 62, y: 50 }])
    expect(separate([{ x: 0, y: 0 }], RADIUS)).toEqual([{ x: 0, y: 0 }])
  })
})

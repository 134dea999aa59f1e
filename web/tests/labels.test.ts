import { expect, test } from 'vitest'

import { type Labelled, placeLabels, type Rect, textWidth } from '@/lib/labels'

const BOUNDS = { x: 0, y: 0, width: 400, height: 300 }

function item(x: number, y: number, weight = 1): Labelled {
  return { at: { x, y }, radius: 5, width: 60, height: 12, weight }
}

function rectOf(placed: { x: number; y: number; anchor: 'start' | 'middle' | 'end' }, { width, height }: Labelled): Rect {
  const left = { start: 0, middle: width / 2, end: width }[placed.anchor]
  return { x: placed.x - left, y: placed.y - height / 2, width, height }
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

test('a lonely label stands to the right of its mark', () => {
  expect(placeLabels([item(100, 100)], BOUNDS)).toEqual([{ x: 109, y: 100, anchor: 'start' }])
})

test('at the right edge it stands to the left', () => {
  expect(placeLabels([item(380, 100)], BOUNDS)[0]?.anchor).toBe('end')
})

test('no label covers another, or another mark, in a crowd', () => {
  const items = Array.from({ length: 40 }, (_, index) => item(20 + ((index * 73) % 360), 20 + ((index * 41) % 260), index))
  const placed = placeLabels(items, BOUNDS)
  const shown = items.flatMap((one, index) => {
    const place = placed[index]
    return place ? [{ index, rect: rectOf(place, one) }] : []
  })
  expect(shown.length).toBeGreaterThan(10)
  for (const { index, rect } of shown) {
    for (const other of shown) if (other.index > index) expect(overlap(rect, other.rect)).toBe(false)
    items.forEach(({ at, radius }, mark) => {
      if (mark === index) return
      expect(overlap(rect, { x: at.x - radius, y: at.y - radius, width: 2 * radius, height: 2 * radius })).toBe(false)
    })
  }
})

test('where only one has room, the weightier one gets it', () => {
  const narrow = { x: 0, y: 0, width: 80, height: 14 }
  const placed = placeLabels([item(5, 7, 1), item(6, 7, 2)], narrow)
  expect(placed[0]).toBeNull()
})

test('a wide character takes the room of two', () => {
  expect(textWidth('邳州', 10)).toBe(20)
  expect(textWidth('S250', 10)).toBeCloseTo(23.2)
})

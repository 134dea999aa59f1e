/** Label placement without overlap of labels or marks: greedy, the most important first. */
import type { Point } from './geo'

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

export interface Labelled {
  /** Centre of the mark. */
  at: Point
  /** Radius of the mark. */
  radius: number
  width: number
  height: number
  /** Higher ones choose first. */
  weight: number
}

export interface Placement {
  x: number
  y: number
  anchor: 'start' | 'middle' | 'end'
}

export function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/**
 * For each item the placement of its label within `bounds`, or null if there is no room. `x` is the start, middle or end of
 * the label, as `anchor` says.
 */
export function placeLabels(items: readonly Labelled[], bounds: Rect, gap = 4): (Placement | null)[] {
  const taken: Rect[] = items.map(({ at, radius }) => ({ x: at.x - radius, y: at.y - radius, width: 2 * radius, height: 2 * radius }))
  const placed: (Placement | null)[] = items.map(() => null)
  const order = items.map((_, index) => index).sort((a, b) => (items[b]?.weight ?? 0) - (items[a]?.weight ?? 0) || a - b)
  for (const index of order) {
    const item = items[index]
    if (!item) continue
    const { at, radius, width, height } = item
    const beside = radius + gap
    const candidates: Placement[] = [
      { x: at.x + beside, y: at.y, anchor: 'start' },
      { x: at.x - beside, y: at.y, anchor: 'end' },
      { x: at.x, y: at.y - beside - height / 2, anchor: 'middle' },
      { x: at.x, y: at.y + beside + height / 2, anchor: 'middle' },
      { x: at.x + beside * 0.7, y: at.y - beside * 0.7 - height / 3, anchor: 'start' },
      { x: at.x + beside * 0.7, y: at.y + beside * 0.7 + height / 3, anchor: 'start' },
      { x: at.x - beside * 0.7, y: at.y - beside * 0.7 - height / 3, anchor: 'end' },
      { x: at.x - beside * 0.7, y: at.y + beside * 0.7 + height / 3, anchor: 'end' },
    ]
    for (const candidate of candidates) {
      const left = { start: 0, middle: width / 2, end: width }[candidate.anchor]
      const rect = { x: candidate.x - left, y: candidate.y - height / 2, width, height }
      const inside =
        rect.x >= bounds.x &&
        rect.y >= bounds.y &&
        rect.x + width <= bounds.x + bounds.width &&
        rect.y + height <= bounds.y + bounds.height
      if (inside && !taken.some((other, owner) => owner !== index && overlap(rect, other))) {
        taken.push(rect)
        placed[index] = candidate
        break
      }
    }
  }
  return placed
}

/** Estimated width of a text: wide characters count double. */
export function textWidth(text: string, fontSize: number): number {
  let units = 0
  for (const character of text) units += (character.codePointAt(0) ?? 0) > 0x2e7f ? 1 : 0.58
  return units * fontSize
}

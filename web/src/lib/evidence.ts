/**
 * Label placement on the map of an alert: the names of the two sightings and the caption between them. Nothing covers a
 * mark or another label; a label without room is omitted, since the same text is shown beside the map.
 */
import type { Point } from './geo'
import { overlap, type Placement, type Rect } from './labels'

export interface Size {
  width: number
  height: number
}

export interface EvidenceWords {
  names: (Placement | null)[]
  /** Centre of the caption. */
  caption: Point | null
}

/** Cost of omitting a label, compared with worse placements. */
const LEFT_OUT = 1000
/** Cost of the line crossing a label. */
const ON_LINE = 20
/** Cost of covering the dot of another checkpoint. */
const ON_DOT = 6

/** Moves two overlapping marks apart, each by half of the overlap. */
export function separate(points: readonly Point[], radius: number): Point[] {
  const [a, b] = points
  if (!a || !b) return [...points]
  const distance = Math.hypot(b.x - a.x, b.y - a.y)
  const missing = 2 * radius + 2 - distance
  if (missing <= 0) return [a, b]
  const way = distance > 0 ? { x: (b.x - a.x) / distance, y: (b.y - a.y) / distance } : { x: 1, y: 0 }
  const move = missing / 2
  return [
    { x: a.x - way.x * move, y: a.y - way.y * move },
    { x: b.x + way.x * move, y: b.y + way.y * move },
  ]
}

const around = ({ x, y }: Point, { width, height }: Size): Rect => ({ x: x - width / 2, y: y - height / 2, width, height })

/** The rectangle of a label at a placement. */
export function rectOf({ x, y, anchor }: Placement, { width, height }: Size): Rect {
  const left = { start: 0, middle: width / 2, end: width }[anchor]
  return { x: x - left, y: y - height / 2, width, height }
}

function inside(rect: Rect, bounds: Rect): boolean {
  return (
    rect.x >= bounds.x &&
    rect.y >= bounds.y &&
    rect.x + rect.width <= bounds.x + bounds.width &&
    rect.y + rect.height <= bounds.y + bounds.height
  )
}

/** Placements for the name of a mark, the best first. */
function besides({ x, y }: Point, radius: number, { width, height }: Size, gap: number): Placement[] {
  const beside = radius + gap
  const above = beside + height / 2
  const sides: Placement[] = [
    { x: x + beside, y, anchor: 'start' },
    { x: x - beside, y, anchor: 'end' },
    { x, y: y - above, anchor: 'middle' },
    { x, y: y + above, anchor: 'middle' },
  ]
  const corners = ([['start', 1], ['end', -1]] as const).flatMap(([anchor, side]) =>
    [-above, above].map((down) => ({ x: x + side * radius * 0.5, y: y + down, anchor })),
  )
  // Near an edge, or if both marks are close: above or below, shifted sideways; the number in the name identifies the mark.
  const slid = [above, above + height].flatMap((off) =>
    [0.25, -0.25, 0.5, -0.5].flatMap((share) =>
      [-off, off].map((down) => ({ x: x + share * (width + 2 * beside), y: y + down, anchor: 'middle' as const })),
    ),
  )
  return [...sides, ...corners, ...slid]
}

/** Positions for the centre of the caption, the best first: beside the middle of the line, then further away. */
function beyond([a, b]: readonly [Point, Point], size: Size, bounds: Rect, gap: number): Point[] {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1
  const normal = { x: -(b.y - a.y) / length, y: (b.x - a.x) / length }
  const off = (Math.abs(normal.x) * size.width + Math.abs(normal.y) * size.height) / 2 + gap
  const near = [1, 1.6, 2.4].flatMap((far) =>
    [0.5, 0.35, 0.65, 0.2, 0.8].flatMap((share) =>
      [1, -1].map((side) => ({
        x: a.x + (b.x - a.x) * share + normal.x * off * far * side,
        y: a.y + (b.y - a.y) * share + normal.y * off * far * side,
      })),
    ),
  )
  const columns = [0.5, 0.25, 0.75].map((share) => bounds.x + size.width / 2 + (bounds.width - size.width) * share)
  const rows = [0, 1, 0.5].map((share) => bounds.y + size.height / 2 + (bounds.height - size.height) * share)
  return [...near, ...rows.flatMap((y) => columns.map((x) => ({ x, y })))]
}

/** Whether the line from `a` to `b` crosses a rectangle. */
function crosses(a: Point, b: Point, rect: Rect): boolean {
  const steps = 40
  return Array.from({ length: steps + 1 }, (_, step) => step / steps).some((share) => {
    const x = a.x + (b.x - a.x) * share
    const y = a.y + (b.y - a.y) * share
    return x > rect.x && x < rect.x + rect.width && y > rect.y && y < rect.y + rect.height
  })
}

interface Choice<P> {
  place: P | null
  rect: Rect | null
  cost: number
}

function choices<P>(places: readonly P[], rectAt: (place: P) => Rect, allowed: (rect: Rect) => boolean, extra: (rect: Rect) => number): Choice<P>[] {
  const found: Choice<P>[] = places.flatMap((place, index) => {
    const rect = rectAt(place)
    return allowed(rect) ? [{ place, rect, cost: index + extra(rect) }] : []
  })
  return [...found.sort((one, other) => one.cost - other.cost), { place: null, rect: null, cost: LEFT_OUT }]
}

const free = (rect: Rect | null, others: readonly (Rect | null)[]) => !rect || !others.some((other) => other && overlap(rect, other))

export interface Scene {
  bounds: Rect
  gap: number
  /** Other checkpoints, which should not be covered. */
  dots: readonly Point[]
}

const holds = ({ x, y, width, height }: Rect, dot: Point) => dot.x > x && dot.x < x + width && dot.y > y && dot.y < y + height

/**
 * Places the names of one or two marks of `radius` at `points`, and a caption between two of them, with the lowest
 * total cost.
 */
export function placeEvidence(points: readonly Point[], radius: number, names: readonly Size[], caption: Size | null, scene: Scene): EvidenceWords {
  const { bounds, gap, dots } = scene
  const marks = points.map((point) => around(point, { width: 2 * radius, height: 2 * radius }))
  const [a, b] = points
  const allowed = (rect: Rect) => inside(rect, bounds) && free(rect, marks)
  const onOthers = (rect: Rect) =>
    (a && b && crosses(a, b, rect) ? ON_LINE : 0) + ON_DOT * dots.filter((dot) => holds(rect, dot)).length
  const nameChoices = points.map((point, index) => {
    const size = names[index] ?? { width: 0, height: 0 }
    return choices(besides(point, radius, size, gap), (place) => rectOf(place, size), allowed, onOthers)
  })
  const captionChoices =
    caption && a && b ? choices(beyond([a, b], caption, bounds, gap), (centre) => around(centre, caption), allowed, onOthers) : []
  const none: Choice<Placement>[] = [{ place: null, rect: null, cost: 0 }]
  let best: EvidenceWords = { names: points.map(() => null), caption: null }
  let least = Infinity
  for (const first of nameChoices[0] ?? none) {
    for (const second of nameChoices[1] ?? none) {
      if (first.cost + second.cost >= least || !free(first.rect, [second.rect])) continue
      const third = captionChoices.find(({ rect }) => free(rect, [first.rect, second.rect]))
      const cost = first.cost + second.cost + (third?.cost ?? 0)
      if (cost >= least) continue
      least = cost
      best = { names: [first.place, second.place].slice(0, points.length), caption: third?.place ?? null }
    }
  }
  return best
}

/** Segments: their lines on a map, how many there are of each level, and their hours in a chart. Knows no component. */
import { type Road, type RoadHours, type RoadLevel, ROAD_LEVELS } from '@/api/types'

import type { Catalogue } from './catalogue'
import type { Counts } from './flowChart'
import type { Place, Point } from './geo'

/** One direction of a road on a map. */
export interface RoadLine {
  road: Road
  level: RoadLevel
  from: Point
  to: Point
}

/** How bad a level is, from 0. */
export const rank = (level: RoadLevel) => ROAD_LEVELS.indexOf(level)

/**
 * The segments that have a level and whose ends have places, the worst last so that it is drawn above the others. Each lies
 * `aside` pixels to the right of the straight line, so that both directions are seen.
 */
export function roadLines(roads: readonly Road[], catalogue: Catalogue, project: (place: Place) => Point, aside: number): RoadLine[] {
  const lines = roads.flatMap((road) => {
    const [from, to] = [catalogue.locate(road.from.code), catalogue.locate(road.to.code)]
    if (!road.level || !from || !to) return []
    return [{ road, level: road.level, ...toTheRight(project(from), project(to), aside) }]
  })
  return lines.sort((a, b) => rank(a.level) - rank(b.level))
}

/** A line moved to the right of its direction, on a screen whose y grows downwards. */
export function toTheRight(from: Point, to: Point, aside: number): { from: Point; to: Point } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const [x, y] = [(-(to.y - from.y) / length) * aside, ((to.x - from.x) / length) * aside]
  return { from: { x: from.x + x, y: from.y + y }, to: { x: to.x + x, y: to.y + y } }
}

/** How many segments have each level, and how many have none. */
export function countLevels(roads: readonly Road[]): { levels: { level: RoadLevel; count: number }[]; unknown: number } {
  const levels = ROAD_LEVELS.map((level) => ({ level, count: roads.filter((road) => road.level === level).length }))
  return { levels, unknown: roads.filter((road) => !road.level).length }
}

/** The segments between two checkpoints in the address, in the order of the list. */
export const isRoad = (road: Road, from: string, to: string) => road.from.code === from && road.to.code === to

/** Minutes by hour of the day, for a chart: today, the profile with its band, and what the rest of today will take. */
export interface RoadCurves {
  today: Counts
  expected: Counts
  profile: Counts
  lower: Counts
  upper: Counts
}

const minutes = (seconds: number) => Math.round(seconds / 6) / 10

export function roadCurves({ time, road, today, profile, expected }: RoadHours): RoadCurves {
  const blank = () => Array.from({ length: 24 }, (): number | null => null)
  const curves: RoadCurves = { today: blank(), expected: blank(), profile: blank(), lower: blank(), upper: blank() }
  for (const hour of today) curves.today[hour.hour] = minutes(hour.median_seconds)
  for (const hour of profile) {
    curves.profile[hour.hour] = minutes(hour.median_seconds)
    curves.lower[hour.hour] = minutes(hour.low_seconds)
    curves.upper[hour.hour] = minutes(hour.high_seconds)
  }
  const day = time?.slice(0, 10)
  for (const hour of expected) {
    if (hour.time.slice(0, 10) === day) curves.expected[hourOf(hour.time)] = minutes(hour.median_seconds)
  }
  // The running hour: what its cars take now. The forecast goes on from there.
  if (time && road.median_seconds != null) {
    curves.today[hourOf(time)] = minutes(road.median_seconds)
    if (curves.expected.some((value) => value != null)) curves.expected[hourOf(time)] = minutes(road.median_seconds)
  }
  return curves
}

/** The hour of the day of a civil time. */
export const hourOf = (time: string) => Number(time.slice(11, 13))

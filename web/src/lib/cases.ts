/** A case, derived from the server's answer: its strongest contradiction, its explanations, the sightings of both cars. Knows no component. */
import { type Case, type CaseCar, type CasePair, type CaseExplanations, type CaseSighting, EXPLANATIONS } from '@/api/types'

import type { Catalogue, Located } from './catalogue'
import type { Entry } from './strip'

/** Below this a share is not drawn; it would be less than a pixel. */
const LEAST_SHARE = 0.001

const ratio = ({ gap_seconds, fastest_seconds }: CasePair) => gap_seconds / Math.max(1, fastest_seconds)

/** The contradiction with the smallest gap for its way; of equal ones that with the longest way, then the newest. */
export function strongestPair(pairs: readonly CasePair[]): CasePair | null {
  return pairs.reduce<CasePair | null>((best, pair) => {
    if (!best) return pair
    const difference = ratio(pair) - ratio(best)
    return difference < 0 || (difference === 0 && pair.fastest_seconds >= best.fastest_seconds) ? pair : best
  }, null)
}

/** A travel time without more precision than it has: whole minutes from 10 min on, rounded down. */
export function roughSeconds(seconds: number): number {
  return seconds < 600 ? Math.floor(seconds) : Math.floor(seconds / 60) * 60
}

export interface Share {
  cause: keyof CaseExplanations
  probability: number
  /** Of the bar, 0 to 1; 0 if it is too narrow to be drawn. */
  share: number
}

/** The explanations with their part of the bar, in a fixed order; the parts add up to 1. */
export function sharesOf(explanations: CaseExplanations): Share[] {
  const drawn = EXPLANATIONS.filter((cause) => explanations[cause] >= LEAST_SHARE)
  const sum = drawn.reduce((total, cause) => total + explanations[cause], 0)
  return EXPLANATIONS.map((cause) => ({
    cause,
    probability: explanations[cause],
    share: drawn.includes(cause) ? explanations[cause] / sum : 0,
  }))
}

export type Tone = 'first' | 'second' | 'stranger'
const CAR_TONES: readonly Tone[] = ['first', 'second']

/** All sightings of a case in the order of time, for the timeline. */
export function entriesOf({ cars, strangers }: Pick<Case, 'cars' | 'strangers'>, catalogue: Catalogue): (Entry & { tone: Tone })[] {
  const entry = (tone: Tone) => ({ gcxh, kkmc, corrected_time }: CaseSighting, index: number) => ({
    key: `${tone} ${gcxh ?? index}`,
    time: corrected_time,
    label: catalogue.label(kkmc),
    tone,
    line: tone === 'stranger' ? undefined : tone,
  })
  const own = cars.flatMap(({ sightings }, index) => sightings.map(entry(CAR_TONES[index] ?? 'stranger')))
  return [...own, ...strangers.map(entry('stranger'))].sort((a, b) => a.time.localeCompare(b.time))
}

export interface CarWay {
  from: Located
  to: Located
  /** One of the newest moves. */
  recent: boolean
}

/** Moves that count as the newest. */
const RECENT = 4

/** The moves of one car on the map, each pair of checkpoints once, the newest last. */
export function carWays({ sightings }: CaseCar, catalogue: Catalogue): CarWay[] {
  const places = sightings.map(({ kkmc }) => catalogue.locate(kkmc))
  const ways = new Map<string, CarWay>()
  places.forEach((to, index) => {
    const from = places[index - 1]
    if (!from || !to || from.code === to.code) return
    const key = [from.code, to.code].sort().join(' ')
    ways.delete(key)
    ways.set(key, { from, to, recent: index >= places.length - RECENT })
  })
  return [...ways.values()]
}

export interface Visit {
  place: Located
  /** Which of the two cars were seen here. */
  cars: readonly number[]
}

/** The checkpoints on the map where either car was seen. */
export function visitsOf(cars: readonly CaseCar[], catalogue: Catalogue): Visit[] {
  const visits = new Map<string, Visit>()
  cars.forEach(({ sightings }, car) => {
    for (const { kkmc } of sightings) {
      const place = catalogue.locate(kkmc)
      if (!place) continue
      const before = visits.get(place.code)?.cars ?? []
      visits.set(place.code, { place, cars: before.includes(car) ? before : [...before, car] })
    }
  })
  return [...visits.values()]
}

/** The brand that a car was seen with most often; null if none was read. */
export function brandOf({ sightings }: CaseCar): string | null {
  const counts = new Map<string, number>()
  for (const { brand } of sightings) if (brand) counts.set(brand, (counts.get(brand) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}

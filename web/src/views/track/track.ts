/** A track, derived from the server's answer: steps, rows, moves, numbers. Knows no component. */
import type { Hop, Passage, Track } from '@/api/types'
import type { Catalogue, Located } from '@/lib/catalogue'

/** A sighting and the move to it. */
export interface Step {
  passage: Passage
  /** From the sighting before; null for the first one. */
  hop: Hop | null
}

export function stepsOf(track: Track): Step[] {
  return track.records.map((passage, index) => ({ passage, hop: track.hops[index - 1] ?? null }))
}

/** Checkpoints in the order of the first passage, each once by its short name. */
export function placesOf(steps: readonly Step[]): string[] {
  return [...new Set(steps.map(({ passage }) => passage.KKMC_LABEL))]
}

export function impossibleOf(steps: readonly Step[]): number {
  return steps.filter(({ hop }) => hop?.impossible).length
}

export interface Way {
  from: Located
  to: Located
  count: number
  impossible: boolean
  /** It leads to the selected sighting. */
  chosen: boolean
}

/**
 * The moves between checkpoints on the map, each pair once, possible and impossible ones separately. The impossible ones
 * and the selected one come last, so that they are drawn on top.
 */
export function waysOf(steps: readonly Step[], catalogue: Catalogue, chosen: string): Way[] {
  const ways = new Map<string, Way>()
  steps.forEach(({ passage, hop }, index) => {
    const before = steps[index - 1]
    const from = before && catalogue.locate(before.passage.KKMC)
    const to = catalogue.locate(passage.KKMC)
    if (!from || !to || from.code === to.code) return
    const impossible = hop?.impossible ?? false
    const key = `${[from.code, to.code].sort().join(' ')} ${impossible}`
    const way = ways.get(key) ?? { from, to, count: 0, impossible, chosen: false }
    ways.set(key, { ...way, count: way.count + 1, chosen: way.chosen || passage.GCXH === chosen })
  })
  const rank = (way: Way) => Number(way.impossible) + 2 * Number(way.chosen)
  return [...ways.values()].sort((a, b) => rank(a) - rank(b))
}

/** Passages by code of the checkpoint, and the sightings whose checkpoint is not on the map. */
export function visitsOf(steps: readonly Step[], catalogue: Catalogue): { visits: Map<string, number>; unlocated: number } {
  const visits = new Map<string, number>()
  let unlocated = 0
  for (const { passage } of steps) {
    const code = catalogue.locate(passage.KKMC)?.code
    if (code) visits.set(code, (visits.get(code) ?? 0) + 1)
    else unlocated += 1
  }
  return { visits, unlocated }
}

/** Whether a text asks for several plates: `*` and `?` are wildcards, but a masked plate holds `*` too. */
export function isPattern(plate: string): boolean {
  return /[*?]/.test(plate)
}

/** A proof as it is shown: bands with enough plates, and how far they are off. Knows no component. */
import type { Proof, ProofBand } from '@/api/prove'

/** A band with fewer plates says nothing. */
export const ENOUGH = 20

export interface Point {
  predicted: number
  observed: number
  plates: number
}

const platesOf = ({ merged, others }: ProofBand) => merged + others

/** The bands that have any plates. */
export function pointsOf(bands: readonly ProofBand[]): Point[] {
  return bands.flatMap((band) => {
    const { predicted, observed } = band
    return predicted == null || observed == null ? [] : [{ predicted, observed, plates: platesOf(band) }]
  })
}

/** The largest difference of bands with enough plates; null without any. */
export function worstOf(bands: readonly ProofBand[]): number | null {
  const differences = pointsOf(bands).filter(({ plates }) => plates >= ENOUGH).map(({ predicted, observed }) => Math.abs(predicted - observed))
  return differences.length ? Math.max(...differences) : null
}

export interface Row {
  key: string
  /** The probability of a case; null for a rule. */
  level: number | null
  /** The name of a rule. */
  rule: string | null
  found: number
  share: number
  /** Of the plates with two contradictions; null for a rule. */
  shareTwice: number | null
  /** A case is one for each plate. */
  alerts: number
  others: number
  perThousand: number
}

/** Cases and, beside them, the rules without evidence. */
export function rowsOf({ cases, rules }: Pick<Proof, 'cases' | 'rules'>): Row[] {
  return [
    ...cases.map(({ probability, found, share, share_of_contradicted_twice, others }) => ({
      key: `case ${probability}`, level: probability, rule: null, found, share, shareTwice: share_of_contradicted_twice, alerts: 1,
      others: others.plates, perThousand: others.per_thousand,
    })),
    ...rules.map(({ rule, found, share, alerts_per_plate, others }) => ({
      key: rule, level: null, rule, found, share, shareTwice: null, alerts: alerts_per_plate, others: others.plates, perThousand: others.per_thousand,
    })),
  ]
}

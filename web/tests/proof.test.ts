import { expect, test } from 'vitest'

import type { Proof, ProofBand } from '@/api/prove'
import { ENOUGH, pointsOf, rowsOf, worstOf } from '@/lib/proof'

const band = (predicted: number | null, observed: number | null, merged: number, others: number): ProofBand => ({ from: 0, to: 0.1, predicted, observed, merged, others })

test('only bands with enough plates say how far probabilities are off', () => {
  const bands = [band(null, null, 0, 0), band(0.15, 0.9, 3, ENOUGH - 4), band(0.95, 0.82, ENOUGH, 0), band(0.02, 0, 0, 900)]
  expect(pointsOf(bands).map(({ plates }) => plates)).toEqual([ENOUGH - 1, ENOUGH, 900])
  expect(worstOf(bands)).toBeCloseTo(0.13, 9)
  expect(worstOf(bands.slice(0, 2))).toBeNull()
})

test('cases and rules stand side by side, and a case is one alert', () => {
  const none = { median: null, p90: null }
  const proof = {
    cases: [{ probability: 0.9, found: 9, share: 0.9, share_of_contradicted_twice: 1, found_at_end: 9, contradictions: none, minutes_from_contradiction: none, minutes_from_second_car: none, others: { plates: 1, per_thousand: 0.5 } }],
    rules: [{ rule: 'window', found: 10, share: 1, alerts: 140, alerts_per_plate: 14, others: { plates: 800, per_thousand: 400 }, other_alerts: 3000 }],
  } satisfies Pick<Proof, 'cases' | 'rules'>
  expect(rowsOf(proof)).toEqual([
    { key: 'case 0.9', level: 0.9, rule: null, found: 9, share: 0.9, shareTwice: 1, alerts: 1, others: 1, perThousand: 0.5 },
    { key: 'window', level: null, rule: 'window', found: 10, share: 1, shareTwice: null, alerts: 14, others: 800, perThousand: 400 },
  ])
})

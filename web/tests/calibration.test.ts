import { describe, expect, it } from 'vitest'

import { ENOUGH_DECISIONS, worthOf } from '@/lib/calibration'

const curve = [
  { probability: 0, calibrated: 0 },
  { probability: 0.5, calibrated: 0.2 },
  { probability: 1, calibrated: 1 },
]

describe('what a probability is worth', () => {
  it('lies on the curve', () => {
    const worth = (probability: number) => worthOf({ decided: ENOUGH_DECISIONS, curve }, probability)
    expect(worth(0)).toBe(0)
    expect(worth(0.25)).toBeCloseTo(0.1)
    expect(worth(0.5)).toBeCloseTo(0.2)
    expect(worth(0.75)).toBeCloseTo(0.6)
    expect(worth(1)).toBe(1)
  })

  it('is not said after a few decisions', () => {
    expect(worthOf({ decided: ENOUGH_DECISIONS - 1, curve }, 0.5)).toBeNull()
    expect(worthOf({ decided: 50, curve: [] }, 0.5)).toBeNull()
  })
})

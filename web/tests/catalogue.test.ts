import { describe, expect, test } from 'vitest'

import type { Checkpoint } from '@/api/types'
import { Catalogue, roadsBetween } from '@/lib/catalogue'

function checkpoint(code: string, more: Partial<Checkpoint> = {}): Checkpoint {
  return { code, kkmc: `${code} full`, label: `${code} label`, xzqhmc: '铜山县', road: 'G1', lon: 117, lat: 34, neighbours: [], ...more }
}

describe('catalogue', () => {
  const catalogue = new Catalogue([checkpoint('A'), checkpoint('B', { lon: null, lat: null }), checkpoint('C', { label: 'A' })])

  test.each(['B', 'B full', 'B label'])('finds a checkpoint as %j', (name) => expect(catalogue.find(name)?.code).toBe('B'))

  test('a code wins over a label that is the same', () => expect(catalogue.find('A')?.code).toBe('A'))

  test('shows an unknown checkpoint as it was recorded', () => expect(catalogue.label('X99')).toBe('X99'))

  test('locates only what has coordinates', () => {
    expect(catalogue.locate('A')?.lon).toBe(117)
    expect(catalogue.locate('B')).toBeUndefined()
    expect(catalogue.located.map(({ code }) => code)).toEqual(['A', 'C'])
  })
})

test('each line between neighbours is drawn once', () => {
  const near = (code: string, link: 'road' | 'near' = 'road') => ({ code, distance_km: 1, link })
  const located = new Catalogue([
    checkpoint('A', { neighbours: [near('B'), near('C', 'near'), near('gone')] }),
    checkpoint('B', { neighbours: [near('A')] }),
    checkpoint('C', { neighbours: [near('A', 'near')] }),
  ]).located
  expect(roadsBetween(located).map(({ from, to, near }) => [from.code, to.code, near])).toEqual([
    ['A', 'B', false],
    ['A', 'C', true],
  ])
})

/** The timeline of a track. */
import { type Entry, layOutStrip, type Strip } from '@/lib/strip'

import type { Step } from './track'

export interface TrackEntry extends Entry {
  gcxh: string
  impossible: boolean
  tone?: 'impossible'
}

export function entriesOf(steps: readonly Step[]): TrackEntry[] {
  return steps.map(({ passage, hop }) => {
    const impossible = hop?.impossible ?? false
    const { GCXH: gcxh, GCSJ: time, KKMC_LABEL: label } = passage
    return { key: gcxh, gcxh, time, label, line: '', impossible, tone: impossible ? 'impossible' : undefined }
  })
}

export const layOut = (steps: readonly Step[], box: { width: number; height: number; rem: number }): Strip<TrackEntry> =>
  layOutStrip(entriesOf(steps), box)

import type { RouteLocationRaw } from 'vue-router'

import type { Passage } from '@/api/types'

/** The link from a passage to the track of its plate, at this passage; none if no plate was read. */
export function trackOf({ HPHM, GCXH }: Pick<Passage, 'HPHM' | 'GCXH'>): RouteLocationRaw | null {
  return HPHM === '-' ? null : { name: 'track', params: { hphm: HPHM }, query: { at: GCXH } }
}

import type { RouteLocationRaw } from 'vue-router'

import type { Passage } from '@/api/types'

/** Where a passage leads: to its plate's track, with itself in sight; nowhere if no plate was read. */
export function trackOf({ HPHM, GCXH }: Pick<Passage, 'HPHM' | 'GCXH'>): RouteLocationRaw | null {
  return HPHM === '-' ? null : { name: 'track', params: { hphm: HPHM }, query: { at: GCXH } }
}

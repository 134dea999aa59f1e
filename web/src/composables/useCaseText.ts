/** Why a plate is a case, in one sentence. */
import { useI18n } from 'vue-i18n'

import type { Case } from '@/api/types'
import { roughSeconds, strongestPair } from '@/lib/cases'

import { useFormat } from './useFormat'

export function useCaseText() {
  const { t } = useI18n()
  const { integer, span } = useFormat()

  function why({ contradictions, pairs }: Pick<Case, 'contradictions' | 'pairs'>): string {
    const count = integer(contradictions)
    const pair = strongestPair(pairs)
    // A plural would need the sign of the message syntax for alternatives; one contradiction has its own sentence.
    const key = contradictions === 1 ? 'whyOne' : 'why'
    if (!pair) return t(`cases.${key}Bare`, { count })
    return t(`cases.${key}`, { count, fastest: span(roughSeconds(pair.fastest_seconds)), gap: span(pair.gap_seconds) })
  }

  return { why }
}

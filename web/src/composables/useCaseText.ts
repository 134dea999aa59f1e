/** Why a plate is a case, in one sentence. */
import { useI18n } from 'vue-i18n'

import type { CaseBrief } from '@/api/types'
import { roughSeconds } from '@/lib/cases'

import { useFormat } from './useFormat'

export function useCaseText() {
  const { t } = useI18n()
  const { integer, span } = useFormat()

  function why({ contradictions, strongest }: Pick<CaseBrief, 'contradictions' | 'strongest'>): string {
    const count = integer(contradictions)
    // A plural would need the sign of the message syntax for alternatives; one contradiction has its own sentence.
    const key = contradictions === 1 ? 'whyOne' : 'why'
    if (!strongest) return t(`cases.${key}Bare`, { count })
    return t(`cases.${key}`, { count, fastest: span(roughSeconds(strongest.fastest_seconds)), gap: span(strongest.gap_seconds) })
  }

  return { why }
}

/** Why an alert is weighed so, each reason in words. */
import { useI18n } from 'vue-i18n'

import type { AlertReason } from '@/api/types'
import { useFormat } from '@/composables/useFormat'
import { roughSeconds } from '@/lib/cases'

export function useReasonText() {
  const { t } = useI18n()
  const { integer, span } = useFormat()

  /** Empty where there is nothing to say. */
  function sayReason(reason: AlertReason): string {
    switch (reason.code) {
      case 'gap':
        return t('warnings.weighed.gap', { time: span(reason.seconds), fastest: span(roughSeconds(reason.fastest_seconds)) })
      case 'clock_correction':
        if (reason.seconds === 0) return ''
        return t(`warnings.weighed.${reason.seconds > 0 ? 'clockLonger' : 'clockShorter'}`, { time: span(Math.abs(reason.seconds)) })
      case 'second_car':
        return t('warnings.weighed.second_car', { sightings: integer(reason.sightings), drives: integer(reason.drives) })
      case 'neighbour_due':
        return t('warnings.weighed.neighbour_due', { plate: reason.hphm })
      case 'contradictions':
      case 'brand_differs':
      case 'other_plate_type':
        return t(`warnings.weighed.${reason.code}`, { count: integer(reason.count) })
      // A newer server may have reasons that this page does not know.
      default:
        return ''
    }
  }

  return { sayReason }
}

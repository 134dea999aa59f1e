/** What is wrong with a camera and what to do, in the current language. */
import { useI18n } from 'vue-i18n'

import type { Camera } from '@/api/types'
import { sharesOf } from '@/lib/cameras'

import { useFormat } from './useFormat'

type Finding = Camera['findings'][number]

export function useCameraText() {
  const { t, te } = useI18n()
  const { integer, percent, span } = useFormat()

  /** How fast or slow a clock is, or how much it gains or loses. */
  const fastOrSlow = (seconds: number) => t(`cameras.${seconds < 0 ? 'slow' : 'fast'}`, { span: span(Math.abs(seconds)) })

  function values(camera: Camera): Record<string, string> {
    const { unread, unbranded, doubles, contradicted } = sharesOf(camera)
    return {
      count: integer(camera.ahead),
      all: integer(camera.records),
      offset: fastOrSlow(camera.offset_seconds ?? 0),
      drift: fastOrSlow(camera.drift_seconds_per_day ?? 0),
      since: camera.silent_since ?? '',
      unread: percent(unread),
      unbranded: percent(unbranded),
      doubles: percent(doubles),
      contradicted: percent(contradicted),
    }
  }

  /** The finding in one sentence, and what to do; the server's words for a finding that the page does not know. */
  function sayFinding(camera: Camera, { code, text, action }: Finding): { text: string; action: string } {
    if (!te(`cameras.finding.${code}.text`)) return { text, action }
    return { text: t(`cameras.finding.${code}.text`, values(camera)), action: t(`cameras.finding.${code}.action`) }
  }

  return { sayFinding, fastOrSlow }
}

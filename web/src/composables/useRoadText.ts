import { useI18n } from 'vue-i18n'

import type { Road } from '@/api/types'

import { useFormat } from './useFormat'

/** What is said of a segment, in the language in use. */
export function useRoadText() {
  const { t } = useI18n()
  const { decimal, integer, span } = useFormat()

  /** Its level with the numbers behind it, or why it has none. */
  function said(road: Road): string {
    if (!road.level) return t(`roads.basis.${road.basis}`)
    const parts = [
      t(`roads.level.${road.level}`),
      t('roads.takes', { now: span(road.median_seconds), free: span(road.free_flow_seconds), index: decimal(road.index, 2) }),
      road.speed_kmh == null ? '' : speed(road),
      t('roads.ofCars', { count: integer(road.cars), basis: t(`roads.basis.${road.basis}`) }),
    ]
    return parts.filter(Boolean).join(' · ')
  }

  /** Its speed; one that rests on an estimated length is marked. */
  function speed(road: Road): string {
    const about = road.distance_basis === 'great_circle' ? t('roads.about') : ''
    return road.speed_kmh == null ? '—' : `${about}${integer(road.speed_kmh)} km/h`
  }

  return { said, speed }
}

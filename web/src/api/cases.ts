/** Cases: plates that two cars are likely to wear. */
import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type ParamsOf } from './client'
import { EVERY } from './queries'
import { useRecord, useRecords } from './records'
import type { CaseBrief, WorkStatus } from './types'

export type CaseFilters = ParamsOf<'/api/cases'>

/** From this probability on a case counts as a cloned plate. */
export const SURE = 0.9
/** States in which a case waits for the desk. */
const OPEN: readonly WorkStatus[] = ['new', 'investigating']
/** Open cases of each state that are read for the wall screen. */
const LISTED = 20

export const useCases = (filters: MaybeRefOrGetter<CaseFilters>) => useRecords('cases', filters)
export const useCase = (id: MaybeRefOrGetter<string>) => useRecord('cases', id)

/**
 * The sure cases that wait for the desk: how many there are, and the newest. The caller reads it again when a case changes; the
 * interval is for work that was done elsewhere, of which no event tells.
 */
export function useOpenCases() {
  return useQuery({
    queryKey: ['cases', 'open'],
    queryFn: async ({ signal }) => {
      const ask = (status: WorkStatus) => apiGet('/api/cases', { probability: String(SURE), status, order: 'newest', limit: LISTED }, signal)
      const pages = await Promise.all(OPEN.map(ask))
      const newest = pages.flatMap(({ records }) => records).sort((a, b) => b.opened_at.localeCompare(a.opened_at))
      return { total: pages.reduce((sum, { total }) => sum + total, 0), newest }
    },
    refetchInterval: EVERY.slow,
  })
}

/** The case of a plate that last contradicted itself; null without one. */
export function useCaseOfPlate(hphm: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ['cases', 'plate', hphm],
    queryFn: async ({ signal }): Promise<CaseBrief | null> => {
      const plate = toValue(hphm)
      const { records } = await apiGet('/api/cases', { hphm: plate }, signal)
      // The filter finds plates that contain this one, too.
      const own = records.filter((found) => found.hphm === plate)
      return own.sort((a, b) => b.last_time.localeCompare(a.last_time))[0] ?? null
    },
    refetchInterval: EVERY.slow,
  })
}

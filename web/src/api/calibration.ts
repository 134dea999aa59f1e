/** What the desk's decisions say about the probabilities of cases. */
import { useQuery } from '@tanstack/vue-query'

import { apiGet, type DataOf } from './client'
import { EVERY } from './queries'

export type Calibration = DataOf<'/api/cases/calibration'>
export type CalibrationBand = Calibration['bands'][number]

export function useCalibration() {
  return useQuery({
    queryKey: ['cases', 'calibration'],
    queryFn: ({ signal }) => apiGet('/api/cases/calibration', undefined, signal),
    refetchInterval: EVERY.slow,
  })
}

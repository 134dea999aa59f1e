/** The newest proof of the detection on recorded traffic. */
import { useQuery } from '@tanstack/vue-query'

import { apiGet, type DataOf } from './client'
import { EVERY } from './queries'

export type Proof = DataOf<'/api/prove'>
export type ProofBand = Proof['reliability'][number]

export function useProof() {
  return useQuery({
    queryKey: ['prove'],
    queryFn: ({ signal }) => apiGet('/api/prove', undefined, signal),
    refetchInterval: EVERY.slow,
  })
}

/** What the traffic says about each camera. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'

import { apiGet } from './client'
import { EVERY, useStatus } from './queries'

function useCameraList(enabled: () => boolean) {
  return useQuery({
    queryKey: ['cameras'],
    queryFn: ({ signal }) => apiGet('/api/cameras', undefined, signal),
    refetchInterval: EVERY.cases,
    enabled,
  })
}

/** All cameras, the worst first. */
export const useCameras = () => useCameraList(() => true)

/** Those that are not in order, for maps. Empty where the server knows nothing of cameras: then it is not asked. */
export function useOddCameras() {
  const status = useStatus()
  const { data } = useCameraList(() => (status.data.value?.cameras ?? null) !== null)
  return computed(() => (data.value?.learnt_until ? data.value.cameras.filter(({ state }) => state !== 'ok') : []))
}

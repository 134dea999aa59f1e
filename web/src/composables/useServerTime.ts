import { computed, ref, watch } from 'vue'

import { useStatus } from '@/api/queries'
import { fromMillis, toMillis } from '@/lib/civil'

import { useNow } from './useNow'

/**
 * The server's clock as civil time of the road. Between two answers it advances with the browser's clock; null
 * before the first one.
 */
export function useServerTime() {
  const status = useStatus()
  const now = useNow()
  // Civil time minus the browser's clock, at the last answer.
  const offset = ref<number | null>(null)
  watch(
    () => status.data.value?.now,
    (civil) => {
      if (civil) offset.value = toMillis(civil) - status.dataUpdatedAt.value
    },
    { immediate: true },
  )
  return computed(() => (offset.value == null ? null : fromMillis(now.value + offset.value)))
}

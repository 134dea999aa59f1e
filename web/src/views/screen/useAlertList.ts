/**
 * The list of alerts: all, or only those of severity high, which many false alarms would push out of view. The stream
 * updates both. The choice is stored in this browser.
 */
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, shallowRef, watch } from 'vue'

import { apiGet } from '@/api/client'
import type { Warning } from '@/api/types'
import { KEPT, type useAlertStream } from '@/composables/useAlertStream'

const STORED_AS = 'platewatch.onlyHigh'

export const isHigh = ({ severity }: Warning) => severity === 'high'

export function useAlertList(stream: ReturnType<typeof useAlertStream>) {
  const onlyHigh = ref(localStorage.getItem(STORED_AS) === 'true')
  watch(onlyHigh, (only) => localStorage.setItem(STORED_AS, String(only)))

  const newestHigh = useQuery({
    queryKey: ['warnings', 'high', KEPT],
    queryFn: async ({ signal }) => (await apiGet('/api/warnings', { severity: 'high', limit: KEPT }, signal)).records,
    enabled: onlyHigh,
  })
  const high = shallowRef<readonly Warning[]>([])

  /** Puts newer alerts before the rest. */
  function put(fresh: readonly Warning[], rest: readonly Warning[]) {
    const last = rest[0]?.seq ?? 0
    high.value = [...fresh.filter(({ seq }) => seq > last), ...rest].slice(0, KEPT)
  }

  watch(newestHigh.data, (list) => put(high.value, list ?? []), { immediate: true })
  stream.onFresh((fresh) => put(fresh.filter(isHigh), high.value))
  watch(stream.alerts, (alerts) => {
    // Another data directory: the known alerts are not in it.
    if (alerts.length > 0 || high.value.length === 0) return
    high.value = []
    if (onlyHigh.value) void newestHigh.refetch()
  })

  // While the stream was closed, more alerts may have been raised than it sends at once.
  watch(stream.connected, (connected) => {
    if (connected && onlyHigh.value) void newestHigh.refetch()
  })

  return {
    onlyHigh,
    query: computed(() => (onlyHigh.value ? newestHigh : stream.query)),
    alerts: computed(() => (onlyHigh.value ? high.value : stream.alerts.value)),
    /** Calls back with new alerts that belong to the list. */
    onFresh: (listener: (fresh: readonly Warning[]) => void) =>
      stream.onFresh((fresh) => listener(onlyHigh.value ? fresh.filter(isHigh) : fresh)),
  }
}

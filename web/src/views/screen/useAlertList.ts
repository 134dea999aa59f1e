/**
 * What the list of alerts shows: all of them, or those of severity high alone, which one road's false alarms would push
 * out of sight. Both are kept up by the stream. The choice stays in this browser.
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

  /** Puts those that are newer than the rest before it. */
  function put(fresh: readonly Warning[], rest: readonly Warning[]) {
    const last = rest[0]?.seq ?? 0
    high.value = [...fresh.filter(({ seq }) => seq > last), ...rest].slice(0, KEPT)
  }

  watch(newestHigh.data, (list) => put(high.value, list ?? []), { immediate: true })
  stream.onFresh((fresh) => put(fresh.filter(isHigh), high.value))
  watch(stream.alerts, (alerts) => {
    // Another data directory: what was known is not in it.
    if (alerts.length > 0 || high.value.length === 0) return
    high.value = []
    if (onlyHigh.value) void newestHigh.refetch()
  })

  // While there was no stream more may have come than it gives at once.
  watch(stream.connected, (connected) => {
    if (connected && onlyHigh.value) void newestHigh.refetch()
  })

  return {
    onlyHigh,
    query: computed(() => (onlyHigh.value ? newestHigh : stream.query)),
    alerts: computed(() => (onlyHigh.value ? high.value : stream.alerts.value)),
    /** Calls back with those alerts that came in and belong to the list. */
    onFresh: (listener: (fresh: readonly Warning[]) => void) =>
      stream.onFresh((fresh) => listener(onlyHigh.value ? fresh.filter(isHigh) : fresh)),
  }
}

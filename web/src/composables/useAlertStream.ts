/**
 * The newest alerts, and each further one as the server streams it; and word of cases that changed. Holds a bounded number of them. Reconnects
 * automatically and continues after the last alert it has, so that none is missed or shown twice.
 */
import { useQuery } from '@tanstack/vue-query'
import { onScopeDispose, onUnmounted, ref, shallowRef, watch } from 'vue'

import { apiGet, withParams } from '@/api/client'
import type { Case, Warning } from '@/api/types'

/** Maximum number of alerts in a list. */
export const KEPT = 60
/** Alerts of a burst are rendered together. */
const GATHER_MS = 200
/** How long the stream may be behind the server's count before it is reopened; longer after each attempt without success. */
const BEHIND_MS = 15_000
const BEHIND_MOST_MS = 600_000
const RECONNECT_MS = [1_000, 2_000, 5_000, 10_000]

/** What the stream says of a case that was opened or has changed. */
export type CaseHead = Pick<Case, 'seq' | 'id' | 'hphm' | 'probability' | 'cause' | 'contradictions' | 'last_time'>

export function useAlertStream() {
  const newest = useQuery({
    queryKey: ['warnings', 'realtime', KEPT],
    queryFn: ({ signal }) => apiGet('/api/warnings/realtime', { limit: KEPT }, signal),
    staleTime: Infinity,
  })

  const alerts = shallowRef<readonly Warning[]>([])
  const connected = ref(false)
  const listeners = new Set<(fresh: readonly Warning[]) => void>()
  const caseListeners = new Set<(head: CaseHead) => void>()
  let source: EventSource | null = null
  let gathered: Warning[] = []
  let gathering: ReturnType<typeof setTimeout> | undefined
  let reconnecting: ReturnType<typeof setTimeout> | undefined
  let failures = 0

  const lastSeq = () => gathered.at(-1)?.seq ?? alerts.value[0]?.seq ?? 0

  function flush() {
    gathering = undefined
    const fresh = gathered.slice(-KEPT).reverse()
    gathered = []
    alerts.value = [...fresh, ...alerts.value].slice(0, KEPT)
    for (const listener of listeners) listener(fresh)
  }

  function receive(event: MessageEvent<string>) {
    const alert = JSON.parse(event.data) as Warning
    if (alert.seq <= lastSeq()) return
    gathered.push(alert)
    if (gathered.length > 2 * KEPT) gathered = gathered.slice(-KEPT)
    gathering ??= setTimeout(flush, GATHER_MS)
  }

  function receiveCase(event: MessageEvent<string>) {
    const head = JSON.parse(event.data) as CaseHead
    for (const listener of caseListeners) listener(head)
  }

  function open() {
    close()
    source = new EventSource(withParams('/api/warnings/stream', { lastEventId: lastSeq() }))
    source.addEventListener('warning', receive)
    source.addEventListener('case', receiveCase)
    source.addEventListener('open', () => {
      connected.value = true
      failures = 0
    })
    source.addEventListener('error', () => {
      connected.value = false
      // The browser retries automatically, unless the answer was an error.
      if (source?.readyState !== EventSource.CLOSED) return
      reconnecting = setTimeout(open, RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)])
      failures += 1
    })
  }

  function close() {
    clearTimeout(reconnecting)
    source?.close()
    source = null
    connected.value = false
  }

  let totalBefore = 0
  let behindSince: number | null = null
  let patienceMs = BEHIND_MS

  /**
   * Compares with the number of alerts that the server reports. Fewer than before: it has another data directory, start
   * again. More than were received, for a while: the stream is dead without having closed, reopen it.
   */
  function checkAgainst(total: number | undefined) {
    if (total === undefined) return
    const isAnother = total < totalBefore
    totalBefore = total
    if (isAnother) {
      close()
      alerts.value = []
      gathered = []
      void newest.refetch()
    } else if (total <= lastSeq() || !source) {
      behindSince = null
      patienceMs = BEHIND_MS
    } else {
      behindSince ??= Date.now()
      if (Date.now() - behindSince < patienceMs) return
      behindSince = null
      patienceMs = Math.min(2 * patienceMs, BEHIND_MOST_MS)
      open()
    }
  }

  watch(
    newest.data,
    (list) => {
      if (!list) return
      const last = lastSeq()
      alerts.value = [...list.filter(({ seq }) => seq > last), ...alerts.value].slice(0, KEPT)
      if (!source) open()
    },
    { immediate: true },
  )
  onUnmounted(() => {
    clearTimeout(gathering)
    close()
    listeners.clear()
    caseListeners.clear()
  })

  return {
    query: newest,
    alerts,
    connected,
    checkAgainst,
    /** Calls back with new alerts, newest first; not with those that existed at the start. */
    onFresh: (listener: (fresh: readonly Warning[]) => void) => {
      listeners.add(listener)
      onScopeDispose(() => listeners.delete(listener), true)
    },
    /** Calls back with each case that is opened or changes while the stream is connected. */
    onCase: (listener: (head: CaseHead) => void) => {
      caseListeners.add(listener)
      onScopeDispose(() => caseListeners.delete(listener), true)
    },
  }
}

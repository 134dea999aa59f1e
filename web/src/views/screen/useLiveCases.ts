/** The sure cases that wait for the desk, read again as soon as the stream says that one of them was opened or has changed. */
import { onUnmounted, watch } from 'vue'

import { SURE, useOpenCases } from '@/api/cases'
import type { CaseHead, useAlertStream } from '@/composables/useAlertStream'

/** Changes within this time are read together. */
export const GATHER_MS = 1_000

export function useLiveCases(stream: Pick<ReturnType<typeof useAlertStream>, 'connected' | 'onCase'>) {
  const cases = useOpenCases()
  let waiting: ReturnType<typeof setTimeout> | undefined

  function readSoon() {
    waiting ??= setTimeout(() => {
      waiting = undefined
      void cases.refetch()
    }, GATHER_MS)
  }

  /** Sure, or no longer so. */
  const concerns = ({ id, probability }: CaseHead) => probability >= SURE || cases.data.value?.newest.some((known) => known.id === id)

  stream.onCase((head) => {
    if (concerns(head)) readSoon()
  })
  // What happened while it was not connected is not repeated.
  watch(stream.connected, (connected, before) => {
    if (connected && before === false) readSoon()
  })
  onUnmounted(() => clearTimeout(waiting))
  return cases
}

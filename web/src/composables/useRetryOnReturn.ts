import { watch } from 'vue'

import { unreachableSince } from '@/api/connection'

/** Retries when the server is back, for queries that do not refresh themselves. */
export function useRetryOnReturn(query: { error: { value: Error | null }; refetch: () => unknown }): void {
  watch(unreachableSince, (since) => {
    if (since === null && query.error.value) void query.refetch()
  })
}

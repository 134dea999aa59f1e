/** The audit log: its entries, the newest first, and checking its chain. */
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { sendJson, withParams } from './client'
import type { AuditPage, AuditVerified } from './types'

export type AuditFilters = Record<'from' | 'to' | 'user' | 'action' | 'hphm' | 'address', string>

const KEY = ['audit'] as const
/** Entries of one request. */
const LENGTH = 50
/** The whole log is read. */
const VERIFY_TIMEOUT_MS = 600_000

/** Reading the log leaves an entry in it: so it is read only when the user wants that. */
export function useAuditLog(filters: MaybeRefOrGetter<AuditFilters>) {
  return useInfiniteQuery({
    queryKey: [...KEY, filters],
    queryFn: ({ pageParam, signal }) =>
      sendJson<AuditPage>(withParams('/api/audit', { ...toValue(filters), before: pageParam, length: LENGTH }), { signal }),
    initialPageParam: null as number | null,
    getNextPageParam: ({ next }) => next,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
}

/** Reads the newest entries again. */
export function useAuditRefresh() {
  const client = useQueryClient()
  return () => client.resetQueries({ queryKey: KEY })
}

export function useAuditVerify() {
  return useMutation({ mutationFn: () => sendJson<AuditVerified>('/api/audit/verify', { method: 'POST' }, VERIFY_TIMEOUT_MS) })
}

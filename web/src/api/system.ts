/** What only the system page asks for: rejected lines, and mirrors and model in the status. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type DataOf } from './client'
import type { RejectReason, Status } from './types'

/** One mirror: a shard in MySQL, or the alerts in Redis. */
export type MirrorStatus = Status['mirrors'][number]
/** A server that the role `api` answers from. */
export type BackendStatus = Status['backends'][number]
export type RejectList = DataOf<'/api/rejects'>
export type Reject = RejectList['records'][number]

/** Rejects that one page of the list shows. */
const REJECTS = 20

export function useRejects(reason: MaybeRefOrGetter<RejectReason | ''>, before: MaybeRefOrGetter<number | null>) {
  return useQuery({
    queryKey: ['rejects', reason, before],
    queryFn: ({ signal }) =>
      apiGet('/api/rejects', { reason: toValue(reason) || undefined, before: toValue(before) ?? undefined, limit: REJECTS }, signal),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  })
}

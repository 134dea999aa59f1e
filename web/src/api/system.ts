/** Queries and types of the system page: rejected lines, mirrors, backends. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type DataOf } from './client'
import type { RejectReason, Status } from './types'

/** One mirror: a shard in MySQL, or the alerts in Redis. */
export type MirrorStatus = Status['mirrors'][number]
/** A server that a process of role `api` reads from. */
export type BackendStatus = Status['backends'][number]
export type RejectList = DataOf<'/api/rejects'>
export type Reject = RejectList['records'][number]

/** Rejects of a page of the list. */
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

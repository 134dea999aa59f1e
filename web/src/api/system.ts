/** What only the system page asks for: rejected lines, and mirrors and model in the status. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiGet, type DataOf, type ParamsOf } from './client'
import type { Status } from './types'

/** One mirror: a shard in MySQL, or the alerts in Redis. */
export type MirrorStatus = Status['mirrors'][number]
/** A server that the role `api` answers from. */
export type BackendStatus = Status['backends'][number]
export type RejectList = DataOf<'/api/rejects'>
export type Reject = RejectList['records'][number]
type RejectReason = NonNullable<ParamsOf<'/api/rejects'>>['reason']

/** Rejects that one page of the list shows. */
const REJECTS = 20

export function useRejects(reason: MaybeRefOrGetter<string>, before: MaybeRefOrGetter<number | null>) {
  return useQuery({
    queryKey: ['rejects', reason, before],
    queryFn: ({ signal }) =>
      apiGet('/api/rejects', { reason: (toValue(reason) || undefined) as RejectReason, before: toValue(before) ?? undefined, limit: REJECTS }, signal),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  })
}

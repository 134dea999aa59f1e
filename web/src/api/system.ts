/** What only the system page asks for: rejected lines, and mirrors and model in the status. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { sendJson, withParams } from './client'
import type { Status } from './types'

export type MirrorState = 'starting' | 'level' | 'sending' | 'away' | 'blocked'

/** One mirror: a shard in MySQL, or the alerts in Redis. */
export interface MirrorStatus {
  name: string
  target: string
  state: MirrorState
  cursor: number
  lag_rows: number
  lag_seconds: number
  last_error: string | null
  last_error_at: string | null
  away_since: string | null
  sent: number
  failures: number
  refused: number
  recently_refused: { gcxh: string; error: string }[]
  lost: number
  refilled: number
  warnings: number
}

/** The mirrors of a status; none where none is configured. */
export function mirrorsOf(status: Status | undefined): MirrorStatus[] {
  return (status?.mirrors ?? []) as unknown as MirrorStatus[]
}

/** The flow model in short. */
export interface ModelBrief {
  kind: string | null
  version: string | null
  /** UTC. */
  trained_at: string | null
  problem: string | null
  training: boolean
  training_failure: string | null
  history_hours: number
}

export function modelOf(status: Status | undefined): ModelBrief | null {
  return (status?.model ?? null) as ModelBrief | null
}

export interface Reject {
  seq: number
  origin: string
  line: number
  reason: string
  text: string
  raw_base64: string
  bytes: number
  near: string | null
}

export interface RejectList {
  total: number
  kept: number
  reasons: { reason: string; count: number }[]
  records: Reject[]
  next: number | null
}

/** Rejects that one page of the list shows. */
const REJECTS = 20

export function useRejects(reason: MaybeRefOrGetter<string>, before: MaybeRefOrGetter<number | null>) {
  return useQuery({
    queryKey: ['rejects', reason, before],
    queryFn: ({ signal }) =>
      sendJson<RejectList>(
        withParams('/api/rejects', { reason: toValue(reason), before: toValue(before), limit: REJECTS }),
        { signal },
      ),
    refetchInterval: 5_000,
    placeholderData: keepPreviousData,
  })
}

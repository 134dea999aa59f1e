/** Records that are worked on (alerts, cases): a page of them, one with its details, and a change of the work on it. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'

import { apiSend, type DataOf, type Params, type ParamsOf, sendJson, withParams } from './client'
import { EVERY } from './queries'
import type { WorkChange } from './types'

interface Kinds {
  warnings: { filters: ParamsOf<'/api/warnings'>; page: DataOf<'/api/warnings'>; one: DataOf<'/api/warnings/{id}'> }
  cases: { filters: ParamsOf<'/api/cases'>; page: DataOf<'/api/cases'>; one: DataOf<'/api/cases/{id}'> }
}
export type RecordKind = keyof Kinds

const urlOf = (kind: RecordKind, id: string) => `/api/${kind}/${encodeURIComponent(id)}`

/** One page of the records that match. */
export function useRecords<K extends RecordKind>(kind: K, filters: MaybeRefOrGetter<Kinds[K]['filters']>) {
  return useQuery({
    queryKey: [kind, 'history', filters],
    // With the filters of the request, since an earlier answer stays visible while the next one loads.
    queryFn: async ({ signal }) => {
      const wanted = toValue(filters)
      const page = await sendJson<Kinds[K]['page']>(withParams(`/api/${kind}`, wanted as Params), { signal })
      return Object.assign(page, { asked: JSON.stringify(wanted) })
    },
    refetchInterval: EVERY.stats,
    placeholderData: keepPreviousData,
  })
}

export function useRecord<K extends RecordKind>(kind: K, id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: [kind, 'one', id],
    queryFn: ({ signal }) => sendJson<Kinds[K]['one']>(urlOf(kind, toValue(id)), { signal }),
    refetchInterval: EVERY.stats,
  })
}

/** Changes the work on a record; the lists and the record itself then show it. */
export function useWorkChange(kind: RecordKind, id: MaybeRefOrGetter<string>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: WorkChange) => apiSend<Kinds[RecordKind]['one']>('PATCH', urlOf(kind, toValue(id)), change),
    onSuccess: (changed) => {
      client.setQueryData([kind, 'one', changed.id], changed)
      void client.invalidateQueries({ queryKey: [kind, 'history'] })
    },
    // Another change may have come first: show the current state.
    onError: () => void client.invalidateQueries({ queryKey: [kind, 'one', toValue(id)] }),
  })
}

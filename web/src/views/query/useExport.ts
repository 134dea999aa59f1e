import { onUnmounted, ref } from 'vue'

import { ApiError } from '@/api/client'
import { saveFile } from '@/lib/saveFile'

import type { ColumnName } from './columns'
import { type Progress, receiveCsv } from './download'
import type { QueryFilters } from './filters'

export type ExportState =
  | { kind: 'idle' }
  | ({ kind: 'running' } & Progress)
  | { kind: 'done'; name: string; rows: number }
  /** More rows match than one file may hold. */
  | { kind: 'tooLong'; rows: number; limit: number }
  | { kind: 'failed'; offline: boolean; reason: Error }

function failure(error: unknown): ExportState {
  const answer = error instanceof ApiError ? error : null
  const [rows, limit] = [answer?.number('x-total-count') ?? null, answer?.number('x-max-rows') ?? null]
  if (rows !== null && limit !== null) return { kind: 'tooLong', rows, limit }
  return { kind: 'failed', offline: answer?.offline ?? false, reason: error instanceof Error ? error : new Error(String(error)) }
}

/** Exports the whole result of a search as a CSV file, one at a time; it can be cancelled. */
export function useExport() {
  const state = ref<ExportState>({ kind: 'idle' })
  let running: AbortController | null = null

  async function start(filters: QueryFilters, columns: readonly ColumnName[], form: { titles: boolean; excel: boolean }) {
    running?.abort()
    const mine = (running = new AbortController())
    state.value = { kind: 'running', rows: 0, total: null, bytes: 0 }
    const body = { ...filters, columns, header: form.titles ? 'titles' : 'names', excel: form.excel }
    try {
      const file = await receiveCsv(
        '/api/query/export',
        body,
        (progress) => {
          if (running === mine) state.value = { kind: 'running', ...progress }
        },
        mine.signal,
      )
      saveFile(file.name, file.content)
      if (running === mine) state.value = { kind: 'done', name: file.name, rows: file.rows }
    } catch (error) {
      if (running === mine && !mine.signal.aborted) state.value = failure(error)
    }
  }

  function cancel() {
    running?.abort()
    state.value = { kind: 'idle' }
  }

  onUnmounted(() => running?.abort())
  return { state, start, cancel }
}

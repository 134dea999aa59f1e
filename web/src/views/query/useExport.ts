import { onUnmounted, ref } from 'vue'

import { ApiError } from '@/api/client'

import type { ColumnName } from './columns'
import { type Progress, receiveCsv, save } from './download'
import type { QueryFilters } from './filters'

export type ExportState =
  | { kind: 'idle' }
  | ({ kind: 'running' } & Progress)
  | { kind: 'done'; name: string; rows: number }
  /** More rows match than one file may hold. */
  | { kind: 'tooLong'; rows: number; limit: number }
  | { kind: 'failed'; offline: boolean; reason: string }

/** What the server says of a result that is too long for one file. */
const TOO_LONG = /^(\d+) passages match, and one file holds (\d+) at most/

function failure(error: unknown): ExportState {
  const reason = error instanceof Error ? error.message : String(error)
  const [, rows, limit] = TOO_LONG.exec(reason) ?? []
  if (rows && limit) return { kind: 'tooLong', rows: Number(rows), limit: Number(limit) }
  return { kind: 'failed', offline: error instanceof ApiError && error.offline, reason }
}

/** The whole result of a search as a CSV file, one at a time; it can be given up. */
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
      save(file)
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

/**
 * A file that the server produces while sending: received in chunks, counted, and saved only if it is complete. Knows no
 * filter and no component.
 */
import { ApiError, send } from '@/api/client'

/** The limit of the server is `api.export_timeout`, which is shorter. */
const TIMEOUT_MS = 86_400_000
/** Chunks are joined at this size, so that the browser can move them to disk. */
const JOIN_BYTES = 8 << 20
const LINE_FEED = 10

export interface Progress {
  rows: number
  /** The row count that the server announced; null if it did not. */
  total: number | null
  bytes: number
}

export interface CsvFile {
  name: string
  content: Blob
  rows: number
}

/** Lines that end in this chunk. */
export function lineEnds(piece: Uint8Array): number {
  let count = 0
  for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, at + 1)) count += 1
  return count
}

/** The name in a `Content-Disposition`. */
export function fileName(disposition: string | null): string {
  return /filename="([^"/\\]+)"/.exec(disposition ?? '')?.[1] ?? 'passages.csv'
}

function totalOf(response: Response): number | null {
  const text = response.headers.get('x-total-count')
  return text === null ? null : Number(text)
}

/**
 * Receives the CSV file that `POST url` answers with.
 *
 * Throws an ApiError if the server refuses it, or if fewer rows arrive than announced.
 */
export async function receiveCsv(
  url: string,
  body: unknown,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<CsvFile> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await send(url, { method: 'POST', headers, body: JSON.stringify(body), signal }, TIMEOUT_MS)
  const total = totalOf(response)
  const joined: Blob[] = []
  let pieces: Uint8Array<ArrayBuffer>[] = []
  let [waiting, bytes, lines] = [0, 0, 0]
  const rows = () => Math.max(0, lines - 1)
  const reader = response.body?.getReader()
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) break
      pieces.push(value)
      bytes += value.length
      waiting += value.length
      lines += lineEnds(value)
      if (waiting >= JOIN_BYTES) {
        joined.push(new Blob(pieces))
        pieces = []
        waiting = 0
      }
      onProgress({ rows: rows(), total, bytes })
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw new ApiError(0, error instanceof Error ? error.message : String(error))
  }
  if (total !== null && rows() !== total) throw new ApiError(0, `${rows()} / ${total}`)
  return {
    name: fileName(response.headers.get('content-disposition')),
    content: new Blob([...joined, ...pieces], { type: 'text/csv;charset=utf-8' }),
    rows: rows(),
  }
}

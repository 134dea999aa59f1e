// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest'

import { ApiError } from '@/api/client'
import { fileName, lineEnds, receiveCsv } from '@/views/query/download'
import { useExport } from '@/views/query/useExport'

import { run } from './mount'

const encode = (text: string) => new TextEncoder().encode(text)

function serve(pieces: readonly string[], headers: Record<string, string>, status = 200) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encode(piece))
      controller.close()
    },
  })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status, headers })))
}

const receive = (progress: unknown[] = []) =>
  receiveCsv('/api/query/export', {}, (step) => progress.push(step), new AbortController().signal)

beforeEach(() => vi.unstubAllGlobals())

test('counts rows over pieces, wherever a line is cut, without the header', async () => {
  serve(['GCXH,HP', 'HM\r\n1,苏C1\r\n2,', '苏C2\r\n'], { 'x-total-count': '2', 'content-disposition': 'attachment; filename="passages-2026.csv"' })
  const progress: unknown[] = []
  const file = await receive(progress)
  expect(file).toMatchObject({ name: 'passages-2026.csv', rows: 2 })
  expect(file.content.size).toBe(encode('GCXH,HPHM\r\n1,苏C1\r\n2,苏C2\r\n').length)
  expect(progress.at(-1)).toMatchObject({ rows: 2, total: 2, bytes: file.content.size })
})

test('a file that lacks rows is no file', async () => {
  serve(['GCXH\r\n1\r\n'], { 'x-total-count': '2' })
  await expect(receive()).rejects.toMatchObject({ offline: true })
})

test('a transfer that breaks off is no file', async () => {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new TypeError('network error'))
    },
  })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { headers: { 'x-total-count': '1' } })))
  await expect(receive()).rejects.toBeInstanceOf(ApiError)
})

test('a refusal keeps the words of the server, and its numbers', async () => {
  const headers = { 'x-total-count': '5', 'x-max-rows': '2' }
  serve(['{"code":400,"msg":"5 passages match, and one file holds 2 at most","data":null}'], headers, 400)
  await expect(receive()).rejects.toMatchObject({ status: 400, message: '5 passages match, and one file holds 2 at most' })
  serve(['{"code":400,"msg":"too many","data":null}'], headers, 400)
  const { result, unmount } = await run(useExport)
  await result.start({}, ['GCXH'], { titles: false, excel: false })
  expect(result.state.value).toEqual({ kind: 'tooLong', rows: 5, limit: 2 })
  serve(['{"code":400,"msg":"`startTime` must be a time","data":null}'], {}, 400)
  await result.start({}, ['GCXH'], { titles: false, excel: false })
  expect(result.state.value).toMatchObject({ kind: 'failed', offline: false, reason: { status: 400, message: '`startTime` must be a time' } })
  unmount()
})

test('names of files', () => {
  expect(fileName('attachment; filename="a.csv"')).toBe('a.csv')
  expect(fileName('attachment; filename="../a.csv"')).toBe('passages.csv')
  expect(fileName(null)).toBe('passages.csv')
  expect(lineEnds(encode('\n\na\n'))).toBe(3)
})

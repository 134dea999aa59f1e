// @vitest-environment jsdom
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { Warning } from '@/api/types'
import { useAlertStream } from '@/composables/useAlertStream'

import { run } from './mount'

/** An EventSource that the test speaks for. */
class FakeSource extends EventTarget {
  static readonly CLOSED = 2
  static opened: FakeSource[] = []
  readyState = 1
  constructor(readonly url: string) {
    super()
    FakeSource.opened.push(this)
  }
  close() {
    this.readyState = FakeSource.CLOSED
  }
  alert(seq: number) {
    this.dispatchEvent(new MessageEvent('warning', { data: JSON.stringify({ seq, hphm: `苏C${seq}` }) }))
  }
  changed(id: string, probability: number) {
    this.dispatchEvent(new MessageEvent('case', { data: JSON.stringify({ seq: 1, id, probability }) }))
  }
  fail(readyState: number) {
    this.readyState = readyState
    this.dispatchEvent(new Event('error'))
  }
}

let newest: number[] = []
const answers = vi.fn(() =>
  Promise.resolve(new Response(JSON.stringify({ code: 200, msg: 'success', data: newest.map((seq) => ({ seq }) as Warning) }))),
)

beforeEach(() => {
  vi.useFakeTimers()
  FakeSource.opened = []
  newest = [3, 2, 1]
  vi.stubGlobal('EventSource', FakeSource)
  vi.stubGlobal('fetch', answers)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function started() {
  const stream = await run(useAlertStream)
  await vi.advanceTimersByTimeAsync(1)
  await flushPromises()
  const source = FakeSource.opened[0]
  if (!source) throw new Error('no stream was opened')
  return { ...stream, source, seqs: () => stream.result.alerts.value.map(({ seq }) => seq) }
}

test('begins with the newest alerts and continues behind them', async () => {
  const { seqs, source } = await started()
  expect(seqs()).toEqual([3, 2, 1])
  expect(source.url).toBe('/api/warnings/stream?lastEventId=3')
})

test('shows what comes in on top, gathered, and tells listeners', async () => {
  const { result, source, seqs } = await started()
  const heard: number[][] = []
  result.onFresh((fresh) => heard.push(fresh.map(({ seq }) => seq)))
  source.alert(4)
  source.alert(5)
  expect(seqs()).toEqual([3, 2, 1])
  vi.advanceTimersByTime(200)
  expect(seqs()).toEqual([5, 4, 3, 2, 1])
  expect(heard).toEqual([[5, 4]])
})

test('passes on each case that changes, and no more once it is unmounted', async () => {
  const { result, source, unmount } = await started()
  const heard: string[] = []
  result.onCase(({ id, probability }) => heard.push(`${id} ${probability}`))
  source.changed('a', 0.97)
  source.changed('a', 0.4)
  expect(heard).toEqual(['a 0.97', 'a 0.4'])
  unmount()
  source.changed('b', 1)
  expect(heard).toHaveLength(2)
})

test('shows no alert twice', async () => {
  const { source, seqs } = await started()
  for (const seq of [3, 4, 4]) source.alert(seq)
  vi.advanceTimersByTime(200)
  expect(seqs()).toEqual([4, 3, 2, 1])
})

test('holds a bounded number, however many come', async () => {
  const { source, seqs } = await started()
  for (let seq = 4; seq < 5000; seq += 1) source.alert(seq)
  vi.advanceTimersByTime(200)
  expect(seqs()).toHaveLength(60)
  expect(seqs()[0]).toBe(4999)
})

test('opens a new stream behind the last alert when the old one was refused', async () => {
  const { result, source } = await started()
  source.alert(4)
  vi.advanceTimersByTime(200)
  source.fail(FakeSource.CLOSED)
  expect(result.connected.value).toBe(false)
  vi.advanceTimersByTime(1000)
  expect(FakeSource.opened.map(({ url }) => url)).toEqual(['/api/warnings/stream?lastEventId=3', '/api/warnings/stream?lastEventId=4'])
})

test('leaves a stream that the browser itself reconnects alone', async () => {
  const { source } = await started()
  source.fail(0)
  vi.advanceTimersByTime(60_000)
  expect(FakeSource.opened).toHaveLength(1)
})

test('starts over when the server has another data directory', async () => {
  const { result, seqs } = await started()
  result.checkAgainst(3)
  newest = [1]
  result.checkAgainst(1)
  await vi.advanceTimersByTimeAsync(1)
  await flushPromises()
  expect(seqs()).toEqual([1])
  expect(FakeSource.opened.at(-1)?.url).toBe('/api/warnings/stream?lastEventId=1')
})

test('opens another stream when the server has had more alerts for a while, and none came', async () => {
  const { result } = await started()
  for (let seconds = 0; seconds < 14; seconds += 2) {
    result.checkAgainst(5)
    vi.advanceTimersByTime(2000)
  }
  expect(FakeSource.opened).toHaveLength(1)
  vi.advanceTimersByTime(2000)
  result.checkAgainst(5)
  expect(FakeSource.opened).toHaveLength(2)
  // Where that does not help, it is not done all the time.
  for (let seconds = 0; seconds < 28; seconds += 2) {
    result.checkAgainst(5)
    vi.advanceTimersByTime(2000)
  }
  expect(FakeSource.opened).toHaveLength(2)
})

test('a server that counts fewer than it streams is left in peace', async () => {
  const { result, seqs } = await started()
  for (const total of [1, 1, 2, 2]) result.checkAgainst(total)
  expect(seqs()).toEqual([3, 2, 1])
})

test('closes the stream with the page', async () => {
  const { source, unmount } = await started()
  unmount()
  expect(source.readyState).toBe(FakeSource.CLOSED)
})

// @vitest-environment jsdom
import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ref } from 'vue'

import type { Case } from '@/api/types'
import type { CaseHead } from '@/composables/useAlertStream'
import { GATHER_MS, useLiveCases } from '@/views/screen/useLiveCases'

import { run } from './mount'

let known: Partial<Case>[] = []
const asked = vi.fn((url: string) => {
  const records = url.includes('status=new') ? known : []
  return Promise.resolve(new Response(JSON.stringify({ code: 200, msg: 'success', data: { total: records.length, records } })))
})

beforeEach(() => {
  vi.useFakeTimers()
  asked.mockClear()
  known = [{ id: 'a', opened_at: '2024-01-01 08:00:00' }]
  vi.stubGlobal('fetch', asked)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function passed(ms: number) {
  await vi.advanceTimersByTimeAsync(ms)
  await flushPromises()
}

async function started() {
  const connected = ref(false)
  let hear: (head: CaseHead) => void = () => undefined
  const { result } = await run(() => useLiveCases({ connected, onCase: (listener) => (hear = listener) }))
  await passed(1)
  expect(asked).toHaveBeenCalledTimes(2)
  return { connected, result, changed: (id: string, probability: number) => hear({ id, probability } as CaseHead) }
}

test('a sure case is read at once, and changes that come together once', async () => {
  const { result, changed } = await started()
  expect(result.data.value?.total).toBe(1)
  known = [...known, { id: 'b', opened_at: '2024-01-01 09:00:00' }]
  changed('b', 0.95)
  changed('b', 0.97)
  await passed(GATHER_MS)
  expect(asked).toHaveBeenCalledTimes(4)
  expect(result.data.value?.newest.map(({ id }) => id)).toEqual(['b', 'a'])
})

test('a case that is not sure matters only if it was', async () => {
  const { changed } = await started()
  changed('c', 0.5)
  await passed(GATHER_MS)
  expect(asked).toHaveBeenCalledTimes(2)
  changed('a', 0.5)
  await passed(GATHER_MS)
  expect(asked).toHaveBeenCalledTimes(4)
})

test('after a pause of the stream it is read again', async () => {
  const { connected } = await started()
  connected.value = true
  await passed(GATHER_MS)
  expect(asked).toHaveBeenCalledTimes(4)
})

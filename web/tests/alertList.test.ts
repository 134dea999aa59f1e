// @vitest-environment jsdom
import { flushPromises } from '@vue/test-utils'
import { beforeEach, expect, test, vi } from 'vitest'
import { ref, shallowRef } from 'vue'

import type { Warning } from '@/api/types'
import type { useAlertStream } from '@/composables/useAlertStream'
import { useAlertList } from '@/views/screen/useAlertList'

import { run } from './mount'

const alert = (seq: number, severity: string) => ({ seq, severity }) as Warning
/** Alerts of severity high that the server has, newest first. */
let stored: number[]

beforeEach(() => {
  localStorage.clear()
  stored = [70, 40, 10]
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(JSON.stringify({ data: { records: stored.map((seq) => alert(seq, 'high')) } }))),
  )
})

/** A stream whose alerts the test gives. */
function fakeStream() {
  const alerts = shallowRef<readonly Warning[]>([alert(71, 'low'), alert(70, 'high')])
  const connected = ref(true)
  const listeners: ((fresh: readonly Warning[]) => void)[] = []
  const come = (...fresh: Warning[]) => {
    alerts.value = [...fresh, ...alerts.value]
    listeners.forEach((listener) => listener(fresh))
  }
  const stream = { alerts, connected, query: {}, onFresh: (listener: (typeof listeners)[number]) => listeners.push(listener) }
  return { stream: stream as unknown as ReturnType<typeof useAlertStream>, alerts, connected, come }
}

async function started() {
  const fake = fakeStream()
  const { result, unmount } = await run(() => useAlertList(fake.stream))
  const seqs = async () => {
    await flushPromises()
    return result.alerts.value.map(({ seq }) => seq)
  }
  return { ...fake, result, unmount, seqs }
}

test('all alerts, or those of severity high from further back, kept up by the stream', async () => {
  const { result, come, seqs, unmount } = await started()
  expect(await seqs()).toEqual([71, 70])
  result.onlyHigh.value = true
  await vi.waitFor(async () => expect(await seqs()).toEqual([70, 40, 10]))
  come(alert(73, 'high'), alert(72, 'low'))
  expect(await seqs()).toEqual([73, 70, 40, 10])
  result.onlyHigh.value = false
  expect(await seqs()).toEqual([73, 72, 71, 70])
  unmount()
})

test('what came before the list was asked for is in it once', async () => {
  const { result, come, seqs, unmount } = await started()
  come(alert(72, 'high'))
  stored = [72, 70]
  result.onlyHigh.value = true
  await vi.waitFor(async () => expect(await seqs()).toEqual([72, 70]))
  unmount()
})

test('what came while there was no stream is asked for', async () => {
  const { result, connected, seqs, unmount } = await started()
  result.onlyHigh.value = true
  await vi.waitFor(async () => expect(await seqs()).toHaveLength(3))
  connected.value = false
  await flushPromises()
  stored = [90, 80, 70, 40, 10]
  connected.value = true
  await vi.waitFor(async () => expect(await seqs()).toEqual([90, 80, 70, 40, 10]))
  unmount()
})

test('only alerts that are listed are told, and the choice stays', async () => {
  const { result, come, unmount } = await started()
  const told: number[] = []
  result.onFresh((fresh) => told.push(...fresh.map(({ seq }) => seq)))
  come(alert(72, 'low'))
  result.onlyHigh.value = true
  await flushPromises()
  come(alert(74, 'high'), alert(73, 'low'))
  expect(told).toEqual([72, 74])
  unmount()
  const again = await started()
  expect(again.result.onlyHigh.value).toBe(true)
  again.unmount()
})

test('another data directory has other alerts', async () => {
  const { result, alerts, seqs, unmount } = await started()
  result.onlyHigh.value = true
  await vi.waitFor(async () => expect(await seqs()).toHaveLength(3))
  stored = [2]
  alerts.value = []
  await vi.waitFor(async () => expect(await seqs()).toEqual([2]))
  unmount()
})

// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest'
import { ref } from 'vue'

import { noFilters, type Search } from '@/views/query/filters'
import { useSearch } from '@/views/query/useSearch'

import { run } from './mount'

const bodies: Record<string, unknown>[] = []

function answer(body: { page: number; limit: number }) {
  const first = { GCSJ: '2026-11-23 12:00:09', GCXH: `row ${body.page}` }
  return new Response(JSON.stringify({ code: 200, msg: 'success', data: { total: 500, records: [first] } }))
}

beforeEach(() => {
  bodies.length = 0
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    const body = JSON.parse(init.body as string) as { page: number; limit: number }
    bodies.push(body)
    return Promise.resolve(answer(body))
  })
})

const search = (changes: Partial<Search> = {}) => ref<Search>({ filters: noFilters(), page: 1, limit: 50, ...changes })
const settled = (count: number) => vi.waitFor(() => expect(bodies).toHaveLength(count))

test('pages of a search without an end are held at the newest record of the first one', async () => {
  const asked = search()
  const { result, unmount } = await run(() => useSearch(asked))
  await vi.waitFor(() => expect(result.query.data.value).toBeDefined())
  asked.value = { ...asked.value, page: 2 }
  await settled(2)
  expect(bodies).toEqual([
    { page: 1, limit: 50 },
    { page: 2, limit: 50, endTime: '2026-11-23 12:00:09' },
  ])
  expect(await result.exportBody()).toEqual({ endTime: '2026-11-23 12:00:09' })
  unmount()
})

test('a page that is opened by its address finds out first where to be held', async () => {
  const { unmount } = await run(() => useSearch(search({ page: 7 })))
  await settled(2)
  expect(bodies).toEqual([
    { page: 1, limit: 1 },
    { page: 7, limit: 50, endTime: '2026-11-23 12:00:09' },
  ])
  unmount()
})

test('an end that is given stays, and other filters let the end go', async () => {
  const asked = search({ filters: { ...noFilters(), endTime: '2026-11-01 00:00:00' } })
  const { result, unmount } = await run(() => useSearch(asked))
  await vi.waitFor(() => expect(result.query.data.value).toBeDefined())
  asked.value = { ...asked.value, filters: { ...noFilters(), hphm: '苏C' } }
  await settled(2)
  expect(bodies.map(({ endTime }) => endTime)).toEqual(['2026-11-01 00:00:00', undefined])
  unmount()
})

test('asked again, it looks for newer records', async () => {
  const { result, unmount } = await run(() => useSearch(search()))
  await vi.waitFor(() => expect(result.query.data.value).toBeDefined())
  result.again()
  await settled(2)
  expect(bodies[1]).toEqual({ page: 1, limit: 50 })
  unmount()
})

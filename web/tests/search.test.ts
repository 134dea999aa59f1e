// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { ref } from 'vue'

import { noFilters, type Search } from '@/views/query/filters'
import { holdAt, useSearch } from '@/views/query/useSearch'

import { run } from './mount'

let bodies: Record<string, unknown>[]
let now: string

const envelope = (data: unknown) => Promise.resolve(new Response(JSON.stringify({ code: 200, msg: 'success', data })))

beforeEach(() => {
  bodies = []
  now = '2026-11-23 12:00:10'
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    if (url === '/api/status') return envelope({ now, newest_gcsj: '2026-11-23 12:00:09' })
    const body = JSON.parse(init?.body as string) as Record<string, unknown>
    bodies.push(body)
    return envelope({ total: 500, records: [{ GCXH: `row ${String(body.page)}` }] })
  })
})

const search = (changes: Partial<Search> = {}) => ref<Search>({ filters: noFilters(), order: 'newest', page: 1, limit: 50, ...changes })
const settled = (count: number) => vi.waitFor(() => expect(bodies).toHaveLength(count))
const HELD = '2026-11-23 12:00:07'

describe('a search without an end is held', () => {
  test('where records have settled, while they come in', () => {
    expect(holdAt({ now: '2026-11-23 12:00:10', newest_gcsj: '2026-11-23 12:00:09' })).toBe(HELD)
  })

  test('at the newest record, where none come in or a clock is ahead; nowhere without one', () => {
    expect(holdAt({ now: '2026-11-23 12:00:10', newest_gcsj: '2026-11-23 12:00:00' })).toBe('2026-11-23 12:00:00')
    expect(holdAt({ now: '2026-11-23 12:00:10', newest_gcsj: '2026-11-23 12:30:00' })).toBe('2026-11-23 12:30:00')
    expect(holdAt({ now: '2026-11-23 12:00:10', newest_gcsj: null })).toBeNull()
  })

  test('on all pages and in the export', async () => {
    const asked = search()
    const { result, unmount } = await run(() => useSearch(asked))
    await settled(1)
    now = '2026-11-23 12:00:30'
    asked.value = { ...asked.value, page: 2 }
    await settled(2)
    expect(bodies).toEqual([
      { order: 'newest', timeFormat: 'plain', page: 1, limit: 50, endTime: HELD },
      { order: 'newest', timeFormat: 'plain', page: 2, limit: 50, endTime: HELD },
    ])
    expect(await result.exportBody()).toEqual({ order: 'newest', endTime: HELD })
    unmount()
  })
})

test('an end in the future is held too', async () => {
  const { unmount } = await run(() => useSearch(search({ filters: { ...noFilters(), endTime: '2026-11-23 23:59:59' } })))
  await settled(1)
  expect(bodies[0]).toEqual({ order: 'newest', timeFormat: 'plain', page: 1, limit: 50, endTime: HELD })
  unmount()
})

test('an end that is given stays, and other filters let it go', async () => {
  const asked = search({ filters: { ...noFilters(), endTime: '2026-11-01 00:00:00' } })
  const { unmount } = await run(() => useSearch(asked))
  await settled(1)
  asked.value = { ...asked.value, filters: { ...noFilters(), hphm: '苏C' } }
  await settled(2)
  expect(bodies.map(({ endTime }) => endTime)).toEqual(['2026-11-01 00:00:00', HELD])
  unmount()
})

test('asked again, it asks the server again', async () => {
  const { result, unmount } = await run(() => useSearch(search()))
  await settled(1)
  result.again()
  await settled(2)
  expect(bodies[1]).toEqual({ order: 'newest', timeFormat: 'plain', page: 1, limit: 50, endTime: HELD })
  unmount()
})

// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { useUrlFilters } from '@/composables/useUrlFilters'

import { run } from './mount'

const filters = (path: string) => run(() => useUrlFilters(['hphm', 'severity']), path)

test('reads what the address says, and nothing that is not a filter', async () => {
  const { result } = await filters('/warnings?hphm=%E8%8B%8FC*&other=1&page=3')
  expect(result.filters.value).toEqual({ hphm: '苏C*', severity: '' })
  expect(result.page.value).toBe(3)
  expect(result.active.value).toBe(true)
})

test.each([['x'], ['0'], ['-2'], [''], ['1.9']])('page %j is the first', async (page) => {
  expect((await filters(`/warnings?page=${page}`)).result.page.value).toBe(1)
})

test('a change goes back to the first page, keeps the other filters, and leaves empty ones out', async () => {
  const { result, router } = await filters('/warnings?hphm=A&page=3')
  await result.apply({ severity: 'high' })
  expect(router.currentRoute.value.fullPath).toBe('/warnings?hphm=A&severity=high')
  await result.apply({ hphm: '' })
  expect(router.currentRoute.value.fullPath).toBe('/warnings?severity=high')
})

test('clearing leaves the page without filters', async () => {
  const { result, router } = await filters('/warnings/9f0c?hphm=A&page=3')
  await result.clear()
  expect(router.currentRoute.value.fullPath).toBe('/warnings/9f0c')
  expect(result.active.value).toBe(false)
})

test('a filter that is given twice counts once', async () => {
  expect((await filters('/warnings?hphm=A&hphm=B')).result.filters.value.hphm).toBe('A')
})

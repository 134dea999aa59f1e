import { describe, expect, test } from 'vitest'

import { addressOf, bodyOf, DEFAULT_PAGE_SIZE, isFiltered, noFilters, pagesOf, searchOf } from '@/views/query/filters'

describe('the address of a search', () => {
  test('holds what is not the default, and gives it back', () => {
    const filters = { ...noFilters(), hphm: '苏C*88', startTime: '2026-11-23 00:00:00', vehicleType: '货车' }
    const search = { filters, order: 'oldest' as const, page: 3, limit: 100 }
    const address = addressOf(search)
    expect(address).toEqual({ hphm: '苏C*88', startTime: '2026-11-23 00:00:00', vehicleType: '货车', order: 'oldest', page: '3', limit: '100' })
    expect(searchOf(address as Record<string, string>)).toEqual(search)
  })

  test('is empty for a search without filters', () => {
    expect(addressOf(searchOf({}))).toEqual({})
    expect(isFiltered(searchOf({}).filters)).toBe(false)
  })

  test.each([
    [{ page: '0' }, 1],
    [{ page: '-3' }, 1],
    [{ page: '1e9' }, 1],
    [{ page: 'x' }, 1],
    [{ page: ['7', '8'] }, 7],
    [{ page: '99999999999' }, 1],
  ])('%o asks for page %i', (query, page) => {
    expect(searchOf(query).page).toBe(page)
  })

  test('takes only orders that there are', () => {
    expect(searchOf({ order: 'plate' }).order).toBe('newest')
  })

  test('takes only sizes that are offered', () => {
    expect(searchOf({ limit: '100000' }).limit).toBe(DEFAULT_PAGE_SIZE)
    expect(searchOf({ limit: '20' }).limit).toBe(20)
  })

  test('ignores what is no filter, and blanks around those that are', () => {
    const { filters } = searchOf({ hphm: ' 苏C1 ', evil: '1', kkmc: null })
    expect(filters).toEqual({ ...noFilters(), hphm: '苏C1' })
    expect(bodyOf({ ...filters, clppxh: '  ' })).toEqual({ hphm: '苏C1' })
  })
})

test('pages', () => {
  expect([0, 1, 50, 51].map((total) => pagesOf(total, 50))).toEqual([1, 1, 1, 2])
})

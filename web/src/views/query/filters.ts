/**
 * The filters of the query in the address and in the request: they have the names of the API, so that an address can be
 * written by hand. Knows neither Vue nor the form.
 */
import type { LocationQuery, LocationQueryRaw } from 'vue-router'

import type { Order, QueryBody } from '@/api/types'

export const FILTERS = [
  'startTime',
  'endTime',
  'hphm',
  'kkmc',
  'xzqhmc',
  'vehicleType',
  'hpzl',
  'province',
  'fuelType',
  'fxlx',
  'clppxh',
] as const

export type FilterName = (typeof FILTERS)[number]
export type QueryFilters = Partial<QueryBody>
/** Every filter as a string; empty if not set. */
export type Filters = Record<FilterName, string>

export interface Search {
  filters: Filters
  order: Order
  page: number
  limit: number
}

export const PAGE_SIZES = [20, 50, 100, 200]
export const DEFAULT_PAGE_SIZE = 50

function only(value: LocationQuery[string] | undefined): string {
  return ((Array.isArray(value) ? value[0] : value) ?? '').trim()
}

function whole(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null
}

export function noFilters(): Filters {
  return Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters
}

/** The search of an address; missing or invalid values are the default. */
export function searchOf(query: LocationQuery): Search {
  const filters = noFilters()
  for (const name of FILTERS) filters[name] = only(query[name])
  const limit = whole(only(query.limit))
  return {
    filters,
    order: only(query.order) === 'oldest' ? 'oldest' : 'newest',
    page: whole(only(query.page)) ?? 1,
    limit: limit && PAGE_SIZES.includes(limit) ? limit : DEFAULT_PAGE_SIZE,
  }
}

/** The address of a search, without default values. */
export function addressOf({ filters, order, page, limit }: Search): LocationQueryRaw {
  const query: LocationQueryRaw = {}
  for (const name of FILTERS) if (filters[name].trim()) query[name] = filters[name].trim()
  if (order !== 'newest') query.order = order
  if (page > 1) query.page = String(page)
  if (limit !== DEFAULT_PAGE_SIZE) query.limit = String(limit)
  return query
}

/** The filters that are set, as the body of a query or of an export. */
export function bodyOf(filters: Filters): QueryFilters {
  // An address may contain anything: the server refuses invalid values.
  return Object.fromEntries(FILTERS.map((name) => [name, filters[name].trim()]).filter(([, value]) => value)) as QueryFilters
}

export function isFiltered(filters: Filters): boolean {
  return FILTERS.some((name) => filters[name] !== '')
}

/** The number of pages; at least one. */
export function pagesOf(total: number, limit: number): number {
  return Math.max(1, Math.ceil(total / limit))
}

/** What an entry of the audit log is about. Knows no language. */
import type { AuditEntry } from '@/api/types'

/** Fields in the order of their weight; others follow. */
const FIRST = [
  'hphm', 'kkmc', 'startTime', 'endTime', 'start', 'end', 'from', 'to', 'id', 'status', 'reason', 'name', 'owner', 'roles', 'scopes', 'user', 'action', 'address',
  'method', 'path',
]
/** How an answer was cut, not what was asked for: left out of the summary. */
const FORM = ['page', 'limit', 'length', 'before', 'order', 'columns', 'excel', 'header']
/** Facts in a summary. */
const SUMMED = 4

export type Detail = [name: string, value: unknown]

/** The details that say something. */
export function detailsOf({ details }: Pick<AuditEntry, 'details'>): Detail[] {
  const weight = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return Object.entries(details ?? {})
    .filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0))
    .sort(([a], [b]) => weight(a) - weight(b))
}

/** The few of them for one line. */
export function mainDetailsOf(entry: Pick<AuditEntry, 'details'>): Detail[] {
  return detailsOf(entry).filter(([name]) => !FORM.includes(name)).slice(0, SUMMED)
}

/** Plates were shown masked, or asked for so. */
export function isMasked({ details }: Pick<AuditEntry, 'details'>): boolean {
  return Object.values(details ?? {}).some((value) => typeof value === 'string' && value.includes('•'))
}

export function isRefused({ status }: Pick<AuditEntry, 'status'>): boolean {
  return (status ?? 0) >= 400
}

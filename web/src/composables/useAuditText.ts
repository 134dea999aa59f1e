/** Entries of the audit log in words. */
import { useI18n } from 'vue-i18n'

import type { AuditEntry } from '@/api/types'
import { type Detail, isRefused } from '@/lib/audit'
import { UNKNOWN } from '@/lib/format'

import { useFormat } from './useFormat'

/** Where the words for a value of a field are; a field may have several meanings. */
const WORDS: Record<string, readonly string[]> = {
  roles: ['access.role'],
  scopes: ['access.permission'],
  permission: ['access.permission'],
  status: ['work.states'],
  reason: ['audit.loginReason', 'work.reasons'],
  cause: ['common.cause'],
  severity: ['common.severity'],
  rule: ['common.rule'],
  action: ['audit.action'],
}
/** Numbers that name something, and are not counted. */
const NAMES: readonly string[] = ['export', 'before', 'through', 'lost_through', 'status']

export function useAuditText() {
  const { t, te, locale } = useI18n()
  const { integer } = useFormat()

  const fieldOf = (name: string) => (te(`audit.field.${name}`) ? t(`audit.field.${name}`) : name)

  function one(name: string, value: unknown): string {
    if (typeof value === 'boolean') return t(value ? 'audit.yes' : 'audit.no')
    if (typeof value === 'number') return NAMES.includes(name) ? String(value) : integer(value)
    if (typeof value !== 'string') return JSON.stringify(value)
    const key = (WORDS[name] ?? []).map((group) => `${group}.${value}`).find((found) => te(found))
    return key ? t(key) : value
  }

  function valueOf([name, value]: Detail): string {
    if (!Array.isArray(value)) return one(name, value)
    return new Intl.ListFormat(locale.value, { type: 'conjunction' }).format(value.map((each) => one(name, each)))
  }

  const actionOf = ({ action }: AuditEntry) => (te(`audit.action.${action}`) ? t(`audit.action.${action}`) : action)
  const viaOf = ({ via }: AuditEntry) => (te(`audit.via.${via}`) ? t(`audit.via.${via}`) : via)
  /** Who: their name, or why there is none. */
  const whoOf = (entry: AuditEntry) => entry.shown ?? entry.user ?? viaOf(entry)
  const purposeOf = ({ purpose }: AuditEntry) => (purpose ? (te(`purpose.code.${purpose.code}`) ? t(`purpose.code.${purpose.code}`) : purpose.code) : '')

  function resultOf(entry: AuditEntry): string {
    if (isRefused(entry)) return t(entry.action === 'login_failed' ? 'audit.failed' : 'audit.refused', { status: entry.status })
    return entry.rows === null ? (entry.status === null ? UNKNOWN : t('audit.done')) : t('audit.rows', { count: integer(entry.rows) })
  }

  return { fieldOf, valueOf, actionOf, viaOf, whoOf, purposeOf, resultOf }
}

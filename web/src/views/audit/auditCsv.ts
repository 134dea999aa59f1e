/** The entries that are shown as a CSV file, in the language in use. */
import type { AuditEntry } from '@/api/types'
import type { useAuditText } from '@/composables/useAuditText'
import { i18n } from '@/i18n'
import { detailsOf } from '@/lib/audit'
import { csvOf } from '@/lib/csv'

export function auditCsv(entries: readonly AuditEntry[], text: ReturnType<typeof useAuditText>): string {
  const { t } = i18n.global
  const titles = [
    'audit.number', 'audit.time', 'audit.user', 'audit.csv.shown', 'audit.viaTitle', 'audit.credential', 'audit.address', 'audit.actionTitle',
    'audit.csv.status', 'audit.csv.rows', 'audit.purpose', 'audit.csv.purposeText', 'audit.csv.details', 'audit.erased', 'audit.csv.json',
  ]
  const rows = entries.map((entry) => [
    entry.n,
    entry.at,
    entry.user,
    entry.shown,
    text.viaOf(entry),
    entry.credential,
    entry.address,
    text.actionOf(entry),
    entry.status,
    entry.rows,
    text.purposeOf(entry),
    entry.purpose?.text ?? null,
    detailsOf(entry).map((detail) => `${text.fieldOf(detail[0])}: ${text.valueOf(detail)}`).join('; '),
    t(entry.erased ? 'audit.yes' : 'audit.no'),
    entry.details ? JSON.stringify(entry.details) : null,
  ])
  return csvOf(titles.map((title) => t(title)), rows)
}

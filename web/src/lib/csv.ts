/** Texts as CSV (RFC 4180, lines end with CR LF), safe to open in a spreadsheet. Knows no column. */

/** Spreadsheets read UTF-8 only after this mark. */
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Whether a spreadsheet may evaluate a cell as a formula; a lone `-` is none. The same signs of full width count in some locales.
 *
 * Source: OWASP, "CSV Injection".
 */
function beginsFormula(cell: string): boolean {
  return cell !== '-' && /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(cell)
}

function cellOf(value: string | number | null | undefined): string {
  if (typeof value !== 'string') return value === null || value === undefined ? '' : String(value)
  const safe = beginsFormula(value) ? `'${value}` : value
  return /[",\r\n\t ]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A whole file; numbers stay numbers. */
export function csvOf(titles: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return BYTE_ORDER_MARK + [titles, ...rows].map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')
}

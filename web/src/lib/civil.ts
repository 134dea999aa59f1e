/**
 * Civil times of the road, `YYYY-MM-DD HH:MM:SS` without a zone. They are treated as UTC, so that
 * neither the zone nor the daylight saving time of the browser changes them.
 */

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/

/** Milliseconds on an axis of civil time; NaN if the text is not a time. */
export function toMillis(civil: string): number {
  const parts = PATTERN.exec(civil)
  if (!parts) return Number.NaN
  const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour, minute, second)
}

/** The civil time of an instant on that axis. */
export function fromMillis(millis: number): string {
  return new Date(millis).toISOString().slice(0, 19).replace('T', ' ')
}

/** The date of a civil time. */
export function dateOf(civil: string): string {
  return civil.slice(0, 10)
}

/** `2026-03-01` and −1 → `2026-02-28`. */
export function addDays(date: string, days: number): string {
  return fromMillis(toMillis(dateOf(date)) + days * 86_400_000).slice(0, 10)
}

/** A civil time moved by seconds. */
export function addSeconds(civil: string, seconds: number): string {
  return fromMillis(toMillis(civil) + seconds * 1000)
}

/** Seconds from `from` to `to`. */
export function secondsBetween(from: string, to: string): number {
  return (toMillis(to) - toMillis(from)) / 1000
}

/** Whether the text is a date that exists. */
export function isDate(text: string): boolean {
  const millis = toMillis(text)
  return text.length === 10 && !Number.isNaN(millis) && fromMillis(millis).startsWith(text)
}

/** Formatting of numbers, durations and times in a given locale. */

const formatters = new Map<string, Intl.NumberFormat>()

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options)
  let found = formatters.get(key)
  if (!found) {
    found = new Intl.NumberFormat(locale, options)
    formatters.set(key, found)
  }
  return found
}

/** Shown for an unknown value. */
export const UNKNOWN = '—'

/** `2116090` → `2,116,090`. */
export function integer(value: number | null | undefined, locale: string): string {
  return value == null || !Number.isFinite(value) ? UNKNOWN : formatter(locale, { maximumFractionDigits: 0 }).format(value)
}

/** With at most `digits` decimals. */
export function decimal(value: number | null | undefined, locale: string, digits = 1): string {
  return value == null || !Number.isFinite(value)
    ? UNKNOWN
    : formatter(locale, { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(value)
}

/** `2116090` → `211.6万` or `2.1M`: for narrow places. */
export function compact(value: number | null | undefined, locale: string): string {
  return value == null || !Number.isFinite(value)
    ? UNKNOWN
    : formatter(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** A share of 0–1 in percent. */
export function percent(share: number | null | undefined, locale: string, digits = 1): string {
  return share == null || !Number.isFinite(share)
    ? UNKNOWN
    : formatter(locale, { style: 'percent', maximumFractionDigits: digits }).format(share)
}

/** Nothing is certain: a probability that would be rounded to 0 or 1 is shown as below or above the nearest tenth of a percent. */
export function probability(value: number | null | undefined, locale: string): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN
  if (value >= 0.9995) return `>${percent(0.999, locale)}`
  if (value < 0.0005) return `<${percent(0.001, locale)}`
  return percent(value, locale)
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `51546776` → `49.2 MiB`. */
export function bytes(value: number | null | undefined, locale: string): string {
  if (value == null || !Number.isFinite(value)) return UNKNOWN
  let unit = 0
  let rest = value
  while (rest >= 1024 && unit < BYTE_UNITS.length - 1) {
    rest /= 1024
    unit += 1
  }
  return `${decimal(rest, locale, unit === 0 ? 0 : 1)} ${BYTE_UNITS[unit]}`
}

const SPAN_UNITS = {
  zh: { d: ' 天', h: ' 小时', m: ' 分', s: ' 秒' },
  en: { d: ' d', h: ' h', m: ' min', s: ' s' },
}

/** Seconds in the two largest units: `291` → `4 分 51 秒`, `90061` → `1 天 1 小时`. */
export function span(seconds: number | null | undefined, locale: string): string {
  if (seconds == null || !Number.isFinite(seconds)) return UNKNOWN
  const units = locale.startsWith('zh') ? SPAN_UNITS.zh : SPAN_UNITS.en
  const whole = Math.max(0, Math.round(seconds))
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), units.d],
    [Math.floor(whole / 3600) % 24, units.h],
    [Math.floor(whole / 60) % 60, units.m],
    [whole % 60, units.s],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return `0${units.s}`
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}

/** `2026-11-23 13:03:44` → `13:03:44`. Civil times of the road are never shifted to the browser's zone. */
export function timeOfDay(civil: string | null | undefined): string {
  return civil?.slice(11) || UNKNOWN
}

/** `2026-11-23 13:03:44` → `11-23 13:03:44`. */
export function monthDayTime(civil: string | null | undefined): string {
  return civil?.slice(5) || UNKNOWN
}

/** The time of day if it is on `today`, else with month and day, and with the year if that differs. */
export function timeSeenFrom(civil: string, today: string | null): string {
  if (!today || civil.startsWith(today)) return timeOfDay(civil)
  return civil.startsWith(today.slice(0, 4)) ? monthDayTime(civil) : civil
}

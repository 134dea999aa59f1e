import { useI18n } from 'vue-i18n'

import * as format from '@/lib/format'

/** The formatters of `lib/format` in the language in use. */
export function useFormat() {
  const { locale } = useI18n()
  return {
    integer: (value: number | null | undefined) => format.integer(value, locale.value),
    decimal: (value: number | null | undefined, digits = 1) => format.decimal(value, locale.value, digits),
    compact: (value: number | null | undefined) => format.compact(value, locale.value),
    percent: (share: number | null | undefined, digits = 1) => format.percent(share, locale.value, digits),
    probability: (value: number | null | undefined) => format.probability(value, locale.value),
    bytes: (value: number | null | undefined) => format.bytes(value, locale.value),
    span: (seconds: number | null | undefined) => format.span(seconds, locale.value),
  }
}

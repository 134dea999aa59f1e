/** Notices of the server in the current language. */
import { useI18n } from 'vue-i18n'

import type { Notice } from '@/api/types'

import { useFormat } from './useFormat'

/** Values that are counts or numbers in a row. */
const NUMBERS: readonly string[] = ['count', 'missing', 'all', 'first', 'last']
/** A time that is not known. */
const NO_TIME = 'none'

export function useNotice() {
  const { t, te } = useI18n()
  const { integer } = useFormat()

  function shown([name, value]: [string, string]): [string, string] {
    if (NUMBERS.includes(name) && /^\d+$/.test(value)) return [name, integer(Number(value))]
    return [name, value === NO_TIME ? '—' : value]
  }

  /** The message of another program, after its meaning if that is known. */
  function words({ values, cause, inner }: Notice): string {
    if (inner) return say(inner)
    const error = values.error ?? ''
    const meaning = `notices.cause.${cause ?? ''}`
    if (!cause || !te(meaning)) return error
    return error ? t('notices.meaning', { meaning: t(meaning), words: error }) : t(meaning)
  }

  function say(notice: Notice): string {
    const key = `notices.text.${notice.code}`
    // A newer server may have codes that this page does not know.
    return te(key) ? t(key, { ...Object.fromEntries(Object.entries(notice.values).map(shown)), error: words(notice) }) : notice.text
  }

  return { say }
}

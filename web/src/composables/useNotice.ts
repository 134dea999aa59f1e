/** What the server says in a sentence of its own, in the language in use. */
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

  /** Another program's words stay as they are; behind what they mean, where that is known. */
  function words({ values, cause, inner }: Notice): string {
    if (inner) return say(inner)
    const error = values.error ?? ''
    const meaning = `notices.cause.${cause ?? ''}`
    if (!cause || !te(meaning)) return error
    return error ? t('notices.meaning', { meaning: t(meaning), words: error }) : t(meaning)
  }

  function say(notice: Notice): string {
    const key = `notices.text.${notice.code}`
    // A server that is newer than this page may know more sentences.
    return te(key) ? t(key, { ...Object.fromEntries(Object.entries(notice.values).map(shown)), error: words(notice) }) : notice.text
  }

  return { say }
}

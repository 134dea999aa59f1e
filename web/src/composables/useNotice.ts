/** What the server says in a sentence of its own, in the language in use. */
import { useI18n } from 'vue-i18n'

import type { Notice } from '@/api/types'
import { readDamage } from '@/lib/storageWords'

export function useNotice() {
  const { t, te } = useI18n()

  /** Another program's words stay as they are; behind what they mean, where that is known. */
  function words({ values, cause, inner }: Notice): string {
    if (inner) return say(inner)
    const error = values.error ?? ''
    const meaning = `notices.cause.${cause ?? ''}`
    if (!cause || !te(meaning)) return error
    return error ? t('notices.meaning', { meaning: t(meaning), words: error }) : t(meaning)
  }

  function say(notice: Notice): string {
    const damage = readDamage(notice.text)
    if (damage) return t('notices.damaged', damage)
    const key = `notices.text.${notice.code}`
    // A server that is newer than this page may know more sentences.
    return te(key) ? t(key, { ...notice.values, error: words(notice) }) : notice.text
  }

  return { say }
}

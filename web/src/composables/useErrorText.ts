/** Why a request failed, in the current language. */
import { useI18n } from 'vue-i18n'

import { ApiError } from '@/api/client'
import type { Permission, WorkStatus } from '@/api/types'

import { useFormat } from './useFormat'
import { useNotice } from './useNotice'

/** Values that are states of the work on an alert. */
const STATES: readonly string[] = ['from', 'to', 'state', 'allowed']

export function useErrorText() {
  const { t, te } = useI18n()
  const { integer } = useFormat()
  const { say } = useNotice()

  const stateOf = (name: string) => (te(`work.states.${name}`) ? t(`work.states.${name as WorkStatus}`) : name)

  const permissionOf = (name: string) => (te(`access.permission.${name}`) ? t(`access.permission.${name as Permission}`) : name)

  function shown([name, value]: [string, string | number]): [string, string] {
    if (typeof value === 'number') return [name, Number.isInteger(value) ? integer(value) : String(value)]
    if (name === 'permission') return [name, permissionOf(value)]
    if (name === 'scopes') return [name, value.split(', ').map(permissionOf).join(t('errors.and'))]
    return [name, STATES.includes(name) ? value.split(' or ').map(stateOf).join(t('errors.or')) : value]
  }

  /** The text for the server's reason; the server's sentence if the page does not know the reason. */
  function textOf(error: Error): string {
    const answer = error instanceof ApiError ? error.answer : null
    const key = `errors.reason.${answer?.reason ?? ''}`
    // A newer server may have reasons that this page does not know.
    if (!answer?.reason || !te(key)) return error.message
    const values = Object.fromEntries(Object.entries(answer.values).map(shown))
    // Some reasons have kinds, each with a text of its own.
    const kind = `errors.kind.${answer.reason}.${answer.values.code ?? ''}`
    if (te(kind)) return t(kind, values)
    const said = answer.notices.map(say).join(t('common.also'))
    return t(key, said ? { ...values, error: said } : values)
  }

  /** The same, with words for a server that cannot be reached; '' without an error. */
  function failureOf(error: Error | null): string {
    if (!error) return ''
    return error instanceof ApiError && error.offline ? t('common.offline') : textOf(error)
  }

  return { textOf, failureOf }
}

// @vitest-environment jsdom
import { readFileSync } from 'node:fs'

import { beforeEach, describe, expect, test } from 'vitest'

import type { Notice } from '@/api/types'
import { useNotice } from '@/composables/useNotice'
import { i18n, locale, LOCALES } from '@/i18n'

import { run } from './mount'

const description = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as {
  components: { schemas: Record<string, { enum?: string[] }> }
}
const sentences = readFileSync('../src/serve/notice/sentences.rs', 'utf8')

/** What the server can send, by the part of its description that lists it, and where the page has its text. */
const CODES: Record<string, (code: string) => string> = {
  NoticeCode: (code) => `notices.text.${code}`,
  NoticeCause: (code) => `notices.cause.${code}`,
  RejectReasonName: (code) => `system.reason.${code}.name`,
  MirrorStateName: (code) => `system.mirrorState.${code}`,
  SourceStateName: (code) => `system.sourceState.${code}`,
  ClockAdviceName: (code) => `system.clock.advice.${code}`,
}

describe('every code that the server can send', () => {
  test.each(Object.entries(CODES))('%s has a text in both languages', (name, key) => {
    const codes = description.components.schemas[name]?.enum ?? []
    expect(codes.length).toBeGreaterThan(3)
    const missing = LOCALES.flatMap((language) => codes.filter((code) => !i18n.global.te(key(code), language)).map((code) => `${language}: ${code}`))
    expect(missing).toEqual([])
  })

  test('a reason for a rejection says what to do, too', () => {
    const reasons = description.components.schemas.RejectReasonName?.enum ?? []
    expect(LOCALES.flatMap((language) => reasons.filter((reason) => !i18n.global.te(`system.reason.${reason}.todo`, language)))).toEqual([])
  })

  test('a text names only values that come with its code', () => {
    const values = new Map(
      [...sentences.matchAll(/^ {4}(\w+): "(.*)",$/gm)].map(([, name = '', sentence = '']) => [
        name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase(),
        new Set([...sentence.matchAll(/\{(\w+)\}/g)].map(([, value]) => value)),
      ]),
    )
    expect(values.size).toBe(description.components.schemas.NoticeCode?.enum?.length)
    for (const language of LOCALES) {
      const { text } = i18n.global.messages.value[language].notices as { text: Record<string, string> }
      for (const [code, words] of Object.entries(text)) {
        for (const [, value] of words.matchAll(/\{(\w+)\}/g)) expect(values.get(code)?.has(value), `${language} ${code} {${value}}`).toBe(true)
      }
    }
  })
})

describe('a notice', () => {
  beforeEach(() => (locale.value = 'zh'))

  const away: Notice = {
    code: 'server_away',
    values: { name: 'MyCat', address: 'db:8066', error: 'Connection refused (os error 111)' },
    cause: 'refused',
    text: 'MyCat at db:8066 does not answer: Connection refused (os error 111)',
  }

  test('is said in the language in use, another program’s words behind what they mean', async () => {
    const { result } = await run(useNotice)
    expect(result.say(away)).toBe('MyCat（db:8066）没有应答：连接被拒绝，对端可能没有运行（Connection refused (os error 111)）')
    locale.value = 'en'
    expect(result.say(away)).toBe(
      'MyCat at db:8066 does not answer: Connection refused; the server may not be running (Connection refused (os error 111))',
    )
  })

  test('of a newer server is shown in its own words', async () => {
    const { result } = await run(useNotice)
    const unknown = { ...away, code: 'of_tomorrow', cause: null } as unknown as Notice
    expect(result.say(unknown)).toBe(away.text)
    const other = { code: 'other', values: { error: 'the moon is full' }, cause: null, text: 'the moon is full' } as Notice
    expect(result.say(other)).toBe('the moon is full')
  })
})

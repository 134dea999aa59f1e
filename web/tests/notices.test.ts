// @vitest-environment jsdom
import { readFileSync } from 'node:fs'

import { beforeEach, describe, expect, test } from 'vitest'

import { ApiError } from '@/api/client'
import type { ErrorBody, Notice } from '@/api/types'
import { useErrorText } from '@/composables/useErrorText'
import { useNotice } from '@/composables/useNotice'
import { i18n, locale, LOCALES } from '@/i18n'

import { run } from './mount'

const description = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as {
  components: { schemas: Record<string, { enum?: string[] }> }
}
const sentences = readFileSync('../src/serve/notice/sentences.rs', 'utf8')
const reasons = readFileSync('../src/serve/error/reasons.rs', 'utf8')

/** What the server can send, by the part of its description that lists it, and where the page has its text. */
const CODES: Record<string, (code: string) => string> = {
  NoticeCode: (code) => `notices.text.${code}`,
  NoticeCause: (code) => `notices.cause.${code}`,
  ErrorReason: (code) => `errors.reason.${code}`,
  RejectReason: (code) => `system.reason.${code}.name`,
  MirrorState: (code) => `system.mirrorState.${code}`,
  SourceState: (code) => `system.sourceState.${code}`,
  AlertCause: (code) => `common.cause.${code}`,
  WorkReason: (code) => `work.reasons.${code}`,
  WorkStatus: (code) => `work.states.${code}`,
  ClockAdviceCode: (code) => `system.clock.advice.${code}`,
}

describe('every code that the server can send', () => {
  test.each(Object.entries(CODES))('%s has a text in both languages', (name, key) => {
    const codes = description.components.schemas[name]?.enum ?? []
    expect(codes.length).toBeGreaterThan(3)
    const missing = LOCALES.flatMap((language) => codes.filter((code) => !i18n.global.te(key(code), language)).map((code) => `${language}: ${code}`))
    expect(missing).toEqual([])
  })

  test('a reason for a rejection says what to do, too', () => {
    const reasons = description.components.schemas.RejectReason?.enum ?? []
    expect(LOCALES.flatMap((language) => reasons.filter((reason) => !i18n.global.te(`system.reason.${reason}.todo`, language)))).toEqual([])
  })

  test.each([
    ['NoticeCode', sentences, 'notices', 'text'],
    ['ErrorReason', reasons, 'errors', 'reason'],
  ])('a text of %s names only values that come with its code', (schema, source, file, map) => {
    const values = new Map(
      [...source.matchAll(/^ {4}(\w+)(?: [A-Z_]+)?: "(.*)",$/gm)].map(([, name = '', sentence = '']) => [
        name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase(),
        new Set([...sentence.matchAll(/\{(\w+)\}/g)].map(([, value]) => value)),
      ]),
    )
    expect(values.size).toBe(description.components.schemas[schema]?.enum?.length)
    for (const language of LOCALES) {
      const texts = (i18n.global.messages.value[language] as Record<string, Record<string, Record<string, string>>>)[file]?.[map] ?? {}
      // That there is no text too many is a matter of types: a text may come before its code.
      for (const [code, words] of Object.entries(texts).filter(([code]) => values.has(code))) {
        for (const [, value = ''] of words.matchAll(/\{(\w+)\}/g)) expect(values.get(code)?.has(value), `${language} ${code} {${value}}`).toBe(true)
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

  test('of a loss has its numbers and times in the language in use', async () => {
    const { result } = await run(useNotice)
    const values = { missing: '900', all: '60000', rows: 'rows 1 to 2 of shard 0', known: '2024-01-01 09:11:48', held: 'none' }
    expect(result.say({ code: 'lost_passages', values, cause: null, text: '' })).toBe('过车 60,000 条中的 900 条（已知最新 2024-01-01 09:11:48，现存最新 —）')
  })

  test('of a newer server is shown in its own words', async () => {
    const { result } = await run(useNotice)
    const unknown = { ...away, code: 'of_tomorrow', cause: null } as unknown as Notice
    expect(result.say(unknown)).toBe(away.text)
    const other = { code: 'other', values: { error: 'the moon is full' }, cause: null, text: 'the moon is full' } as Notice
    expect(result.say(other)).toBe('the moon is full')
  })
})

describe('an error', () => {
  beforeEach(() => (locale.value = 'zh'))

  const error = (answer: Partial<ErrorBody>) => new ApiError(400, answer.msg ?? '', undefined, answer as ErrorBody)

  test('is said by its reason, in the language in use', async () => {
    const { result } = await run(useErrorText)
    const limit = { reason: 'not_whole', values: { name: 'limit', least: 1, most: 1000, given: '"x"' }, notices: [] } as const
    expect(result.textOf(error({ ...limit, notices: [] }))).toBe('limit 应为 1 至 1,000 的整数，而不是 "x"')
    const work = { reason: 'work_not_allowed', values: { from: 'new', to: 'confirmed', allowed: 'investigating' }, notices: [] } as const
    expect(result.textOf(error({ ...work, notices: [] }))).toBe('“新建”状态不能改为“已确认”，可改为：研判中')
    locale.value = 'en'
    expect(result.textOf(error({ ...work, notices: [] }))).toContain('cannot become “Confirmed”; possible: Investigating')
  })

  test('of another server is said by its notice', async () => {
    const { result } = await run(useErrorText)
    const notice: Notice = { code: 'still_counting', values: {}, cause: null, text: 'still being counted' }
    expect(result.textOf(error({ reason: 'data_away', values: { error: 'still being counted' }, notices: [notice] }))).toContain('正在统计')
    expect(result.textOf(error({ reason: 'data_away', values: { error: 'the moon' }, notices: [] }))).toBe('the moon')
  })

  test('of access names the permission in words, and the wait', async () => {
    const { result } = await run(useErrorText)
    expect(result.textOf(error({ reason: 'not_permitted', values: { permission: 'export' }, notices: [] }))).toContain('没有此权限：导出')
    expect(result.textOf(error({ reason: 'not_permitted', values: { permission: '?' }, notices: [] }))).toContain('没有此权限：?')
    expect(result.textOf(error({ reason: 'login_backoff', values: { seconds: 8 }, notices: [] }))).toContain('请 8 秒后重试')
  })

  test('of a newer server, or without an answer, is shown in its own words', async () => {
    const { result } = await run(useErrorText)
    expect(result.textOf(error({ reason: 'of_tomorrow' as ErrorBody['reason'], values: {}, notices: [], msg: 'words' }))).toBe('words')
    expect(result.textOf(new ApiError(0, 'Failed to fetch'))).toBe('Failed to fetch')
  })
})

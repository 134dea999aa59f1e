// @vitest-environment jsdom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import { apiSend, sendJson } from '@/api/client'
import { question, resumePurpose } from '@/api/purpose'
import { sessionDoubts } from '@/api/sessionDoubt'
import type { PurposeRule, Session } from '@/api/types'
import AppPanel from '@/components/AppPanel.vue'
import PurposeDialog from '@/components/purpose/PurposeDialog.vue'
import PurposeField from '@/components/purpose/PurposeField.vue'
import { locale } from '@/i18n'
import { headerOf } from '@/lib/purpose'
import { routes } from '@/router'
import PurposePanel from '@/views/account/PurposePanel.vue'
import { receiveCsv } from '@/views/query/download'

import { dialog, withDialogs } from './dialogs'
import { show } from './mount'
import { envelope, LOGGED_IN, LOGGED_OUT, OPEN, refusal, VIEWER } from './sessions'

const CASE = '/api/cases/7e3c8c7395193060'
const OTHER_CASE = '/api/cases/0000000000000001'

let sent: [call: string, purpose: string | undefined][]
/** What the server answers to a request without a purpose, and with one. */
let refuses: (purpose: string | undefined) => Response | null

withDialogs()
enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  sent = []
  refuses = () => null
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const purpose = (init?.headers as Record<string, string> | undefined)?.['X-Purpose']
    sent.push([`${init?.method ?? 'GET'} ${url}`, purpose])
    return Promise.resolve(refuses(purpose) ?? envelope({ done: true }))
  })
})
afterEach(() => {
  holdSession(null)
  holdSession(LOGGED_OUT)
  holdSession(null)
})

const held = (rule: PurposeRule, of: Session = LOGGED_IN) => holdSession({ ...of, purpose: rule })
const get = (url: string, signal?: AbortSignal) => sendJson(url, { signal })
const search = () => apiSend('POST', '/api/query', {})
async function answer(code: string, text = '') {
  await flushPromises()
  dialog().choose(code)
  dialog().fill('[name=text]', text)
  dialog().submit()
  await flushPromises()
}

describe('where a purpose is required', () => {
  test('it is asked for before the first request with plates, once, and goes with all', async () => {
    held('required')
    await show(PurposeDialog)
    await get('/api/overview')
    const both = Promise.all([search(), get('/api/track?hphm=x')])
    await flushPromises()
    expect([dialog().title, sent.map(([call]) => call)]).toEqual(['查询事由', ['GET /api/overview']])
    await answer('accident', ' 3 号事故 ')
    await both
    expect(dialog().isOpen).toBe(false)
    await get('/api/overview')
    expect(sent.slice(1)).toEqual(['POST /api/query', 'GET /api/track?hphm=x', 'GET /api/overview'].map((call) => [call, headerOf({ code: 'accident', text: '3 号事故' })]))
  })

  test('an export waits for it, too', async () => {
    held('required')
    await show(PurposeDialog)
    const file = receiveCsv('/api/query/export', {}, () => undefined, new AbortController().signal)
    await answer('test')
    expect((await file).name).toBe('passages.csv')
    expect(sent).toEqual([['POST /api/query/export', 'test']])
  })

  test('the question wants a reason, and words for another one', async () => {
    held('required')
    await show(PurposeDialog)
    const asked = search()
    await flushPromises()
    dialog().submit()
    await flushPromises()
    expect(dialog().alert()).toBe('请选择事由')
    await answer('other', '  ')
    expect([dialog().alert(), document.activeElement?.getAttribute('name')]).toEqual(['选择“其他”时须填写说明', 'text'])
    await answer('other', '年度抽查')
    await asked
    expect(sent).toEqual([['POST /api/query', `other;${encodeURIComponent('年度抽查')}`]])
  })

  test('each case has one of its own, which begins as the last one', async () => {
    held('required')
    await show(PurposeDialog)
    const first = get(CASE)
    await flushPromises()
    expect(dialog().title).toBe('本案查询事由')
    await answer('case', '甲')
    await first
    // It is one for the session, too, which had none.
    await search()
    const second = get(OTHER_CASE)
    await flushPromises()
    expect(dialog().within<HTMLInputElement>('input:checked')?.value).toBe('case')
    await answer('case', '乙')
    await second
    await get(CASE)
    const [one, two] = ['甲', '乙'].map((text) => headerOf({ code: 'case', text }))
    expect(sent.map(([, purpose]) => purpose)).toEqual([one, one, two, one])
  })

  test('the question of a case comes first, and answers that of the session', async () => {
    held('required')
    await show(PurposeDialog)
    const both = Promise.all([get('/api/cases?hphm=x'), get(CASE)])
    await flushPromises()
    expect(dialog().title).toBe('本案查询事由')
    await answer('patrol')
    await both
    expect(sent.map(([, purpose]) => purpose)).toEqual(['patrol', 'patrol'])
  })

  test('who cancels gets nothing, and is not asked again by what reads by itself', async () => {
    held('required')
    await show(PurposeDialog)
    const asked = get('/api/track?hphm=x')
    await flushPromises()
    dialog().escape()
    await expect(asked).rejects.toMatchObject({ status: 403, answer: { reason: 'purpose_required' } })
    await expect(get('/api/track?hphm=x')).rejects.toMatchObject({ status: 403 })
    expect([question.value, sent]).toEqual([null, []])
    // What the user does is asked for again.
    const again = search()
    await answer('test')
    await again
    await get('/api/track?hphm=x')
    expect(sent).toHaveLength(2)
  })

  test('nobody is asked for a page that was left', async () => {
    held('required')
    await show(PurposeDialog)
    const left = new AbortController()
    const asked = get('/api/track?hphm=x', left.signal)
    await flushPromises()
    expect(dialog().isOpen).toBe(true)
    left.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    await flushPromises()
    expect([dialog().isOpen, sent]).toEqual([false, []])
  })

  test('it ends with the session', async () => {
    held('required')
    await show(PurposeDialog)
    const asked = search()
    await answer('test')
    await asked
    const stored = () => sessionStorage.getItem('platewatch.purpose')
    expect(stored()).toContain('test')
    holdSession({ ...LOGGED_OUT, purpose: 'required' })
    expect(stored()).toBeNull()
    held('required')
    const again = search()
    await flushPromises()
    expect([dialog().isOpen, dialog().within('input:checked')]).toEqual([true, null])
    dialog().press('取消')
    await expect(again).rejects.toMatchObject({ status: 403 })
  })
})

describe('a refusal', () => {
  const required = (purpose: string | undefined) => (purpose ? null : refusal(403, 'purpose_required'))

  test('is followed by the question and a second try, whatever the page knew', async () => {
    held('off')
    refuses = required
    const doubts = sessionDoubts.value
    await show(PurposeDialog)
    const asked = search()
    await flushPromises()
    expect([dialog().title, sessionDoubts.value > doubts]).toEqual(['查询事由', true])
    held('required')
    await answer('warning')
    await expect(asked).resolves.toEqual({ done: true })
    expect(sent.map(([, purpose]) => purpose)).toEqual([undefined, 'warning'])
  })

  test('of a purpose that is not valid asks again, once', async () => {
    held('required')
    refuses = (purpose) => (purpose === 'warning' ? refusal(400, 'wrong_purpose') : null)
    await show(PurposeDialog)
    const asked = search()
    await answer('warning')
    await answer('test')
    await asked
    expect(sent.map(([, purpose]) => purpose)).toEqual(['warning', 'test'])
    refuses = () => refusal(400, 'wrong_purpose')
    const never = expect(search()).rejects.toMatchObject({ status: 400 })
    await answer('patrol')
    await never
  })

  test('for other reasons is one', async () => {
    held('required')
    refuses = () => refusal(403, 'not_permitted', { permission: 'dashboard' })
    await expect(get('/api/overview')).rejects.toMatchObject({ status: 403 })
    expect([question.value, sent.length]).toEqual([null, 1])
  })
})

describe('on the page', () => {
  const query = { data: { value: undefined }, error: { value: null as Error | null }, refetch: vi.fn() }

  test('a panel says that a purpose is needed, and asks on request', async () => {
    held('required')
    const asked = get('/api/track?hphm=x')
    await show(PurposeDialog)
    dialog().press('取消')
    await asked.catch((error: unknown) => (query.error.value = error as Error))
    const { wrapper, press } = await show(AppPanel, { props: { title: 'x', query } })
    expect(wrapper.text()).toContain('尚未填写查询事由')
    query.refetch.mockImplementation(() => void get('/api/track?hphm=x').catch(() => undefined))
    await press('填写事由')
    await flushPromises()
    expect(dialog().isOpen).toBe(true)
    dialog().press('取消')
    resumePurpose()
  })

  test('the header shows it, and changes it', async () => {
    held('optional')
    await show(PurposeDialog)
    const { wrapper } = await show(PurposeField, { routes, path: '/query' })
    expect(wrapper.text()).toBe('填写事由')
    await wrapper.get('button').trigger('click')
    expect(dialog().text).toContain('可不填写')
    await answer('complaint', '李某申诉')
    expect([wrapper.text(), wrapper.get('button').attributes('title')]).toEqual(['事由申诉核实', '查询事由: 申诉核实 · 李某申诉'])
    // Where it is optional, a case has none of its own, and nothing waits.
    await get(CASE)
    expect(sent).toEqual([[`GET ${CASE}`, headerOf({ code: 'complaint', text: '李某申诉' })]])
  })

  test('the account shows it, and takes it back', async () => {
    held('optional')
    await show(PurposeDialog)
    const { wrapper, press } = await show(PurposePanel)
    await press('填写事由')
    await answer('test')
    expect(wrapper.text()).toContain('测试演练')
    await press('更改')
    dialog().press('清除')
    await flushPromises()
    expect([wrapper.text(), dialog().isOpen]).toEqual([expect.stringContaining('未填写'), false])
    await search()
    expect(sent).toEqual([['POST /api/query', undefined]])
  })

  test.each([
    ['off', LOGGED_IN],
    ['required', VIEWER],
  ] as const)('there is nothing of it where it is %s, or for who sees no plates', async (rule, of) => {
    held(rule, of)
    expect((await show(PurposeField, { routes, path: '/query' })).wrapper.text()).toBe('')
    expect((await show(PurposePanel)).wrapper.text()).toBe('')
  })

  test('a server that knows none is asked for none', async () => {
    holdSession(OPEN)
    await search()
    expect([question.value, sent]).toEqual([null, [['POST /api/query', undefined]]])
  })
})

test('it outlives a reload of the page, for the same user', async () => {
  sessionStorage.setItem('platewatch.purpose', JSON.stringify({ user: 'wang', session: { code: 'case', text: '甲' }, cases: [['7e3c8c7395193060', { code: 'patrol' }], 'x'] }))
  vi.resetModules()
  const [access, { purposeHeaders }] = await Promise.all([import('@/api/access'), import('@/api/purpose')])
  access.holdSession({ ...LOGGED_IN, purpose: 'required' })
  expect([purposeHeaders('/api/query'), purposeHeaders(CASE)]).toEqual([{ 'X-Purpose': headerOf({ code: 'case', text: '甲' }) }, { 'X-Purpose': 'patrol' }])
  access.holdSession({ ...VIEWER, purpose: 'required' })
  expect([purposeHeaders('/api/query'), sessionStorage.getItem('platewatch.purpose')]).toEqual([{}, null])
})

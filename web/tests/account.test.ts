// @vitest-environment jsdom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import type { OpenSession } from '@/api/types'
import UserMenu from '@/components/account/UserMenu.vue'
import { locale } from '@/i18n'
import { routes } from '@/router'
import AccountView from '@/views/account/AccountView.vue'

import { show } from './mount'
import { envelope, LOGGED_IN, LOGGED_OUT, OPEN, refusal } from './sessions'

const HERE: OpenSession = { id: 'ab12', opened_at: '2026-11-27 08:00:00', seen_at: '2026-11-27 09:00:00', address: '10.0.0.7', agent: 'Mozilla/5.0 (X11; Linux) Firefox/115.0', current: true }
const THERE: OpenSession = { ...HERE, id: 'cd34', seen_at: '2026-11-27 09:30:00', address: '10.0.0.8', agent: 'curl/8.5.0', current: false }

let answers: Record<string, () => Response>
let asked: string[]

enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  holdSession(LOGGED_IN)
  asked = []
  answers = { 'GET /api/sessions': () => envelope({ sessions: [THERE, HERE] }), 'GET /api/session': () => envelope(LOGGED_IN) }
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${url}`
    asked.push(call)
    return Promise.resolve(answers[call]?.() ?? refusal(404, 'unknown_endpoint'))
  })
})
afterEach(() => {
  holdSession(null)
})

async function account() {
  const shown = await show(AccountView)
  await flushPromises()
  return { ...shown, rows: () => shown.wrapper.findAll('tbody tr').map((row) => row.findAll('td').map((cell) => cell.text())) }
}

test('the account says who it is, in words', async () => {
  const { wrapper } = await account()
  expect(wrapper.findAll('dd').map((fact) => fact.text())).toEqual(['wang', '值班', '查看统计、地图与列表查看完整号牌与轨迹研判导出', '全部', '2026-11-28 08:00:00'])
})

describe('the sessions', () => {
  test('are listed, this one first and marked', async () => {
    const { rows } = await account()
    expect(rows()).toEqual([
      ['Firefox 115 · Linux', '10.0.0.7', '2026-11-27 08:00:00', '2026-11-27 09:00:00', '本设备'],
      ['curl', '10.0.0.8', '2026-11-27 08:00:00', '2026-11-27 09:30:00', '退出'],
    ])
  })

  test('end one by one', async () => {
    const { press, rows } = await account()
    answers['DELETE /api/sessions/cd34'] = () => envelope(null)
    answers['GET /api/sessions'] = () => envelope({ sessions: [HERE] })
    await press('退出')
    await flushPromises()
    expect(asked).toContain('DELETE /api/sessions/cd34')
    await vi.waitFor(() => expect(rows()).toHaveLength(1))
  })

  test('may have ended before', async () => {
    const { wrapper, press } = await account()
    answers['DELETE /api/sessions/cd34'] = () => refusal(404, 'no_such_session')
    await press('退出')
    await flushPromises()
    expect(wrapper.text()).toContain('该设备的登录已经退出')
  })
})

describe('the password', () => {
  async function change(old: string, next: string, again = next) {
    const { wrapper } = await account()
    await wrapper.get('[name=old]').setValue(old)
    await wrapper.get('[name=new]').setValue(next)
    await wrapper.get('[name=again]').setValue(again)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    return wrapper
  }
  const alert = (wrapper: Awaited<ReturnType<typeof change>>) => wrapper.get('[role=alert]').text()

  test('is checked before it is sent', async () => {
    expect(alert(await change('old', 'short'))).toBe('新密码至少 10 个字符')
    expect(alert(await change('old', 'correct horse', 'correct house'))).toBe('两次输入的新密码不一致')
    expect(asked).not.toContain('POST /api/session/password')
  })

  test('is changed, and forgotten by the page', async () => {
    answers['POST /api/session/password'] = () => envelope(null)
    const wrapper = await change('old', 'correct horse')
    expect(wrapper.get('form [role=status]').text()).toContain('密码已修改')
    expect(wrapper.get<HTMLInputElement>('[name=new]').element.value).toBe('')
  })

  test.each([
    [401, 'wrong_login', '原密码不正确', 'old'],
    [400, 'weak_password', '新密码太弱', 'new'],
  ])('is refused: %i %s', async (status, reason, said, focused) => {
    answers['POST /api/session/password'] = () => refusal(status, reason)
    const wrapper = await change('old', 'correct horse')
    expect(alert(wrapper)).toContain(said)
    expect(document.activeElement?.getAttribute('name')).toBe(focused)
  })
})

test.each([
  ['zh', 'well_known', '新密码太常见，容易被猜到；可用几个互不相关的词'],
  ['en', 'name', 'The new password must not be made of your user name'],
  ['zh', 'of_a_newer_server', '新密码太弱'],
] as const)('a weak password is refused in words: %s %s', async (language, code, said) => {
  locale.value = language
  answers['POST /api/session/password'] = () => refusal(400, 'weak_password', { code, error: 'the sentence of the server' })
  const { wrapper } = await account()
  await wrapper.get('[name=old]').setValue('old')
  await wrapper.get('[name=new]').setValue('correct horse')
  await wrapper.get('[name=again]').setValue('correct horse')
  await wrapper.get('form').trigger('submit')
  await flushPromises()
  expect(wrapper.get('[role=alert]').text()).toContain(said)
})

describe('the header', () => {
  test('names the user, leads to the account, and logs out', async () => {
    answers = { 'DELETE /api/session': () => envelope(null), 'GET /api/session': () => envelope(LOGGED_OUT) }
    const { wrapper, press } = await show(UserMenu, { routes, path: '/account' })
    expect([wrapper.get('a').text(), wrapper.get('a').attributes('href')]).toEqual(['王警官', '/account'])
    await press('退出')
    await flushPromises()
    expect(asked).toEqual(['DELETE /api/session', 'GET /api/session'])
    expect(wrapper.text()).toBe('')
  })

  test('says nothing where nobody logs in; the account page says why', async () => {
    holdSession(OPEN)
    expect((await show(UserMenu)).wrapper.text()).toBe('')
    expect((await account()).wrapper.text()).toContain('未启用登录')
  })
})

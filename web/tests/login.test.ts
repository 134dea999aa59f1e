// @vitest-environment jsdom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { holdSession, session } from '@/api/access'
import { useCountdown } from '@/composables/useCountdown'
import { locale } from '@/i18n'
import LoginView from '@/views/login/LoginView.vue'
import NewPasswordView from '@/views/login/NewPasswordView.vue'

import { run, show } from './mount'
import { envelope, LOGGED_IN, LOGGED_OUT, refusal } from './sessions'

enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  holdSession(LOGGED_OUT)
})
afterEach(() => {
  window.history.replaceState(null, '', '/')
  vi.useRealTimers()
  holdSession(null)
})

async function login(...answers: (() => Promise<Response>)[]) {
  const fetched = vi.spyOn(globalThis, 'fetch')
  for (const answer of answers) fetched.mockImplementationOnce(answer)
  const { wrapper } = await show(LoginView)
  return {
    wrapper,
    fetched,
    enter: async (user: string, password: string) => {
      await wrapper.get('input[name=username]').setValue(user)
      await wrapper.get('input[name=password]').setValue(password)
      await wrapper.get('form').trigger('submit')
      await flushPromises()
    },
    alert: () => wrapper.get('[role=alert]').text(),
    button: () => wrapper.get('button[type=submit]'),
    focused: () => document.activeElement?.getAttribute('name'),
  }
}

describe('the login', () => {
  test('has labels, what password managers need, and the focus at the name', async () => {
    const { wrapper, focused } = await login()
    for (const input of wrapper.findAll('input')) expect(wrapper.get(`label[for="${input.attributes('id') ?? ''}"]`).text()).not.toBe('')
    expect(wrapper.findAll('input').map((input) => input.attributes('autocomplete'))).toEqual(['username', 'current-password'])
    expect(focused()).toBe('username')
  })

  test('sends name and password once, and takes the session', async () => {
    let answer: (response: Response) => void = () => undefined
    const { fetched, enter, button } = await login(() => new Promise((resolve) => (answer = resolve)))
    await enter(' wang ', 'pass word ')
    expect([button().attributes('disabled'), button().text()]).toEqual(['', '正在登录…'])
    await enter('wang', 'again')
    expect(fetched).toHaveBeenCalledOnce()
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: '{"user":"wang","password":"pass word "}' })
    answer(envelope(LOGGED_IN))
    await flushPromises()
    expect(session.value?.user?.name).toBe('wang')
  })

  test('asks for what is missing', async () => {
    const { fetched, enter, alert, focused } = await login()
    await enter('wang', '')
    expect([alert(), focused()]).toEqual(['请填写用户名和密码', 'password'])
    expect(fetched).not.toHaveBeenCalled()
  })

  test('says that it was wrong, and waits at the password', async () => {
    const { enter, alert, focused } = await login(() => Promise.resolve(refusal(401, 'wrong_login')))
    await enter('wang', 'wrong')
    expect([alert(), focused()]).toEqual(['用户名或密码不正确', 'password'])
  })

  test('says that the server is away', async () => {
    const { enter, alert } = await login(() => Promise.reject(new TypeError('Failed to fetch')))
    await enter('wang', 'x')
    expect(alert()).toBe('无法连接服务器')
  })

  test('counts a wait on screen, says it once, and sends nothing before it is over', async () => {
    vi.useFakeTimers()
    const { wrapper, fetched, enter, alert, button } = await login(
      () => Promise.resolve(refusal(429, 'login_backoff', { seconds: 3 })),
      () => Promise.resolve(envelope(LOGGED_IN)),
    )
    const onScreen = () => wrapper.find('p[aria-hidden]').text()
    await enter('wang', 'wrong')
    expect(onScreen()).toContain(' 3 秒')
    await vi.advanceTimersByTimeAsync(1000)
    expect([onScreen(), alert(), button().attributes('disabled')]).toEqual(['登录失败次数过多，请在 2 秒后重试', '登录失败次数过多，请在 3 秒后重试', ''])
    await enter('wang', 'right')
    expect(fetched).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(2000)
    expect([alert(), button().attributes('disabled')]).toEqual(['现在可以重试', undefined])
    await enter('wang', 'right')
    expect(fetched).toHaveBeenCalledTimes(2)
  })

  test('offers single sign-on where it is set up', async () => {
    expect((await login()).wrapper.find('a').exists()).toBe(false)
    holdSession({ ...LOGGED_OUT, single_sign_on: true })
    const { wrapper } = await login()
    expect([wrapper.get('a').text(), wrapper.get('a').attributes('href')]).toEqual(['单点登录', '/api/session/oidc'])
    locale.value = 'en'
    await flushPromises()
    expect(wrapper.get('a').text()).toBe('Single sign-on')
  })

  test.each([
    ['role', '您的账号在本系统没有角色，请联系系统管理员'],
    ['provider', '无法连接单点登录的认证服务，请稍后重试或使用密码登录'],
  ])('says why single sign-on led back: %s', async (reason, text) => {
    window.history.replaceState(null, '', `/?sign_on=${reason}`)
    const { wrapper } = await login()
    expect(wrapper.get('[role=status]').text()).toBe(text)
  })

  test('shows nothing for a reason that is none', async () => {
    window.history.replaceState(null, '', '/?sign_on=<b>x</b>')
    const { wrapper } = await login()
    expect(wrapper.find('[role=status]').exists()).toBe(false)
  })

  test('says that a session has ended, and switches the language', async () => {
    holdSession(LOGGED_IN)
    holdSession(LOGGED_OUT)
    const { wrapper } = await login()
    expect(wrapper.get('[role=status]').text()).toBe('登录已失效，请重新登录')
    await wrapper.findAll('button').at(-1)?.trigger('click')
    expect(wrapper.get('h1').text()).toBe('Log in')
  })
})

test('a countdown ends at zero, and can start again', async () => {
  vi.useFakeTimers()
  const { result, unmount } = await run(useCountdown)
  result.start(2)
  expect(result.left.value).toBe(2)
  await vi.advanceTimersByTimeAsync(5000)
  expect(result.left.value).toBe(0)
  result.start(60)
  expect(result.left.value).toBe(60)
  unmount()
  expect(vi.getTimerCount()).toBe(0)
})

test('a password that is due can be changed, or the user logs out', async () => {
  const due = { ...LOGGED_IN, user: { name: 'wang', shown: '王警官', roles: ['operator' as const], must_change: true, external: false } }
  holdSession(due)
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation((_, init) => Promise.resolve(envelope(init?.method === 'POST' ? null : LOGGED_IN)))
  const { wrapper } = await show(NewPasswordView)
  expect(wrapper.findAll('button').map((button) => button.text())).toEqual(['修改密码', '退出', 'English'])
  await wrapper.get('[name=old]').setValue('initial')
  await wrapper.get('[name=new]').setValue('correct horse')
  await wrapper.get('[name=again]').setValue('correct horse')
  await wrapper.get('form').trigger('submit')
  await flushPromises()
  expect(fetched.mock.calls[0]?.[0]).toBe('/api/session/password')
  expect(fetched.mock.calls[0]?.[1]).toMatchObject({ body: '{"old":"initial","new":"correct horse"}', headers: { 'X-CSRF-Token': 'token' } })
  expect(session.value?.user?.must_change).toBe(false)
})

// @vitest-environment jsdom
import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import type { Session } from '@/api/types'
import App from '@/App.vue'
import { locale } from '@/i18n'
import { routes } from '@/router'

import { show } from './mount'
import { envelope, LOGGED_IN, LOGGED_OUT, OPEN, refusal } from './sessions'

let session: Session | null
let asked: string[]

enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  asked = []
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    asked.push(url)
    if (init?.method === 'POST') session = LOGGED_IN
    if (url === '/api/session') return Promise.resolve(session ? envelope(session) : refusal(404, 'unknown_endpoint'))
    return Promise.resolve(session?.access === 'login' && !session.user ? refusal(401, 'login_required') : refusal(404, 'unknown_endpoint'))
  })
})
afterEach(() => holdSession(null))

async function app(path: string) {
  const { wrapper, router } = await show(App, { routes, path })
  const settled = (selector: string) => vi.waitFor(() => expect(wrapper.find(selector).exists()).toBe(true))
  return { wrapper, router, settled }
}

test('the page starts once the session is known', async () => {
  session = OPEN
  const { wrapper, settled } = await app('/roads')
  expect([wrapper.find('header').exists(), wrapper.get('main').attributes('aria-busy')]).toEqual([false, 'true'])
  await settled('header nav')
  expect(asked[0]).toBe('/api/session')
})

test('a page of a server that knows no sessions stands as before', async () => {
  session = null
  const { settled } = await app('/roads')
  await settled('header nav')
})

test('the login stands instead of the page, whose address stays; nothing else is asked for', async () => {
  session = LOGGED_OUT
  const { wrapper, router, settled } = await app('/cases?status=new')
  await settled('form')
  expect([wrapper.find('header').exists(), asked, document.title]).toEqual([false, ['/api/session'], '登录 · 高速卡口监测 · Platewatch'])
  await wrapper.get('input[name=username]').setValue('wang')
  await wrapper.get('input[name=password]').setValue('long enough')
  await wrapper.get('form').trigger('submit')
  await settled('header nav')
  expect([router.currentRoute.value.fullPath, wrapper.get('.user').text()]).toEqual(['/cases?status=new', '王警官'])
})

test('the login comes back when the session ends', async () => {
  session = LOGGED_IN
  const { wrapper, settled } = await app('/roads')
  await settled('header nav')
  session = LOGGED_OUT
  await vi.waitFor(() => expect(wrapper.find('form').exists()).toBe(true), { timeout: 5_000 })
  expect(wrapper.text()).toContain('登录已失效')
})

test('who needs no login although others reach the machine is warned', async () => {
  session = { ...OPEN, exposed: true }
  const { wrapper, settled } = await app('/')
  await settled('header nav')
  expect(wrapper.get('[role=alert]').text()).toBe('未启用登录，任何能访问本机的人都可以查看和修改添加用户后即需登录： platewatch user add')
})

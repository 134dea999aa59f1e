// @vitest-environment jsdom
import { useQueryClient } from '@tanstack/vue-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { holdSession, lapsed, session } from '@/api/access'
import { apiGet } from '@/api/client'
import { useLogin, useLogout, useSession } from '@/api/session'

import { run } from './mount'
import { envelope, LOGGED_IN, LOGGED_OUT, refusal } from './sessions'

let answers: Record<string, () => Response>
let asked: string[]

beforeEach(() => {
  asked = []
  answers = { 'GET /api/session': () => envelope(LOGGED_IN) }
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${url}`
    asked.push(call)
    return Promise.resolve(answers[call]?.() ?? refusal(404, 'unknown_endpoint'))
  })
})
afterEach(() => holdSession(null))

const page = () => run(() => ({ query: useSession(), login: useLogin(), logout: useLogout(), client: useQueryClient() }))
const known = () => vi.waitFor(() => expect(session.value).not.toBeNull())

test('the session is read at the start, and again when the server wants a login', async () => {
  const { unmount } = await page()
  await known()
  answers = { 'GET /api/session': () => envelope(LOGGED_OUT), 'GET /api/overview': () => refusal(401, 'login_required') }
  await expect(apiGet('/api/overview')).rejects.toMatchObject({ status: 401 })
  await vi.waitFor(() => expect(session.value?.user).toBeNull())
  expect([asked.filter((call) => call === 'GET /api/session').length, lapsed.value]).toEqual([2, true])
  unmount()
})

test('a wrong login is no reason to read it again', async () => {
  const { result, unmount } = await page()
  await known()
  answers['POST /api/session'] = () => refusal(401, 'wrong_login')
  await expect(result.login.mutateAsync({ user: 'wang', password: 'x' })).rejects.toMatchObject({ status: 401 })
  expect(asked).toEqual(['GET /api/session', 'POST /api/session'])
  unmount()
})

test('a login is the session of the page; what was read for somebody else is gone', async () => {
  answers = { 'GET /api/session': () => envelope(LOGGED_OUT), 'POST /api/session': () => envelope(LOGGED_IN) }
  const { result, unmount } = await page()
  await known()
  result.client.setQueryData(['status'], { of: 'another' })
  await result.login.mutateAsync({ user: 'wang', password: 'long enough' })
  expect(session.value?.user?.name).toBe('wang')
  expect([result.client.getQueryData(['status']), result.query.data.value]).toEqual([undefined, LOGGED_IN])
  unmount()
})

test('a log out is no lapse', async () => {
  const { result, unmount } = await page()
  await known()
  answers = { 'DELETE /api/session': () => envelope(null), 'GET /api/session': () => envelope(LOGGED_OUT) }
  await result.logout.mutateAsync(undefined)
  expect([session.value?.user, lapsed.value]).toEqual([null, false])
  unmount()
})

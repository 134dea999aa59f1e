import { afterEach, describe, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import { ApiError, apiDelete, apiGet, apiSend, withParams } from '@/api/client'
import { reportReachable, unreachableSince } from '@/api/connection'
import { sessionDoubts } from '@/api/sessionDoubt'

import { LOGGED_IN, refusal } from './sessions'

function answer(status: number, body: string) {
  return vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(body, { status }))
}

afterEach(() => {
  reportReachable()
  holdSession(null)
})

async function failure(asked: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await asked.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiError)) throw new Error(`no ApiError: ${String(error)}`)
  return error
}

test('only parameters with a value reach the address', () => {
  expect(withParams('/api/x', { a: '苏C', b: '', c: null, d: undefined, e: 0, f: false })).toBe('/api/x?a=%E8%8B%8FC&e=0&f=false')
  expect(withParams('/api/x', {})).toBe('/api/x')
})

describe('an answer', () => {
  test('is what the envelope holds', async () => {
    const fetch = answer(200, '{"code":200,"msg":"success","data":{"total":3}}')
    await expect(apiGet('/api/overview')).resolves.toEqual({ total: 3 })
    expect(fetch.mock.calls[0]?.[0]).toBe('/api/overview')
  })

  test('that is an error tells the sentence of the server', async () => {
    answer(400, '{"code":400,"msg":"`limit` must be a whole number","data":null}')
    const error = await failure(apiGet('/api/warnings/realtime'))
    expect([error.status, error.message, error.temporary, error.offline]).toEqual([400, '`limit` must be a whole number', false, false])
    expect(unreachableSince.value).toBeNull()
  })

  test('without a sentence tells its status', async () => {
    answer(503, '<html>')
    const error = await failure(apiGet('/api/overview'))
    expect([error.message, error.temporary]).toEqual(['HTTP 503', true])
  })

  test('that does not come says that the server is away, until one comes', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValueOnce(new TypeError('Failed to fetch'))
    const error = await failure(apiGet('/api/overview'))
    expect(error.offline).toBe(true)
    expect(unreachableSince.value).not.toBeNull()
    answer(200, '{"data":{}}')
    await apiGet('/api/overview')
    expect(unreachableSince.value).toBeNull()
  })

  test('of a proxy whose server is gone counts as away', async () => {
    answer(502, '')
    expect((await failure(apiGet('/api/overview'))).offline).toBe(true)
  })

  test('that is cut off counts as away', async () => {
    answer(200, '{"code":200,"da')
    expect((await failure(apiGet('/api/overview'))).offline).toBe(true)
  })

  test('that nobody waits for any more is no error of the server', async () => {
    const stop = new AbortController()
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => {
      stop.abort()
      return Promise.reject(stop.signal.reason as Error)
    })
    await expect(apiGet('/api/overview', undefined, stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
    expect(unreachableSince.value).toBeNull()
  })
})

test('a body is sent as JSON', async () => {
  const fetch = answer(200, '{"data":{"status":"investigating"}}')
  await apiSend('PATCH', '/api/warnings/x', { status: 'investigating', by: '王' })
  expect(fetch.mock.calls[0]?.[1]).toMatchObject({
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: '{"status":"investigating","by":"王"}',
  })
})

describe('the token of the session', () => {
  const headerOf = async (ask: () => Promise<unknown>) => {
    const fetch = answer(200, '{"data":{}}')
    await ask()
    return (fetch.mock.lastCall?.[1]?.headers as Record<string, string>)['X-CSRF-Token']
  }

  test('goes with everything that changes something', async () => {
    holdSession(LOGGED_IN)
    expect(await headerOf(() => apiSend('PATCH', '/api/cases/x', {}))).toBe('token')
    expect(await headerOf(() => apiDelete('/api/sessions/x'))).toBe('token')
    expect(await headerOf(() => apiSend('POST', '/api/session/password', {}))).toBe('token')
    expect(await headerOf(() => apiSend('POST', '/api/session', {}))).toBe('token')
  })

  test('does not go with what only reads, nor without a session', async () => {
    holdSession(LOGGED_IN)
    expect(await headerOf(() => apiGet('/api/overview'))).toBeUndefined()
    expect(await headerOf(() => apiSend('POST', '/api/query', {}))).toBeUndefined()
    holdSession({ ...LOGGED_IN, csrf: null })
    expect(await headerOf(() => apiSend('PATCH', '/api/cases/x', {}))).toBeUndefined()
  })
})

test.each([
  [401, 'login_required', true],
  [403, 'csrf', true],
  [403, 'must_change', true],
  [409, 'no_login', true],
  [401, 'wrong_login', false],
  [403, 'not_permitted', false],
])('%i %s puts the session in doubt: %s', async (status, reason, doubt) => {
  const before = sessionDoubts.value
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(refusal(status, reason))
  await failure(apiGet('/api/overview'))
  expect(sessionDoubts.value > before).toBe(doubt)
})

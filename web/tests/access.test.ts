import { afterEach, describe, expect, test } from 'vitest'

import { holdSession, identity, lapsed, may, session } from '@/api/access'

import { LOGGED_IN, LOGGED_OUT, OPEN } from './sessions'

afterEach(() => holdSession(null))

describe('what the page may offer', () => {
  test('is everything until the server has said, and where nobody needs to log in', () => {
    expect([session.value, may('plates'), may('users')]).toEqual([null, true, true])
    holdSession(OPEN)
    expect([may('plates'), may('work'), may('export')]).toEqual([true, true, true])
  })

  test('is nothing before login, and what the server lists after it', () => {
    holdSession(LOGGED_OUT)
    expect(may('dashboard')).toBe(false)
    holdSession({ ...LOGGED_IN, permissions: ['dashboard'] })
    expect([may('dashboard'), may('plates')]).toEqual([true, false])
  })
})

test('a session lapses unless its user ends it, and until the next login', () => {
  holdSession(LOGGED_OUT)
  expect(lapsed.value).toBe(false)
  holdSession(LOGGED_IN)
  holdSession(LOGGED_OUT)
  holdSession(LOGGED_OUT)
  expect(lapsed.value).toBe(true)
  holdSession(LOGGED_IN, true)
  expect(lapsed.value).toBe(false)
  holdSession(LOGGED_OUT, true)
  expect(lapsed.value).toBe(false)
})

test('the identity is of user and permissions, not of token and time', () => {
  holdSession(LOGGED_IN)
  const first = identity.value
  holdSession({ ...LOGGED_IN, csrf: 'other', expires_at: null })
  expect(identity.value).toBe(first)
  holdSession({ ...LOGGED_IN, permissions: ['dashboard'] })
  expect(identity.value).not.toBe(first)
})

import { expect, test } from 'vitest'

import { passwordProblem } from '@/lib/password'
import { stageOf } from '@/lib/stage'

import { LOGGED_IN, LOGGED_OUT, OPEN } from './sessions'

test('login and a password that is due come before the page', () => {
  expect(stageOf(null, false)).toBe('asking')
  expect(stageOf(LOGGED_OUT, true)).toBe('login')
  expect(stageOf({ ...LOGGED_IN, user: { name: 'wang', shown: '王警官', roles: [], must_change: true } }, true)).toBe('password')
  expect(stageOf(LOGGED_IN, true)).toBe('page')
})

test('the page stands at once where nobody logs in, and where the session cannot be read', () => {
  expect([stageOf(OPEN, true), stageOf(null, true)]).toEqual(['page', 'page'])
})

test('a new password is long, new, and typed the same twice', () => {
  const NEW = '十个字的新密码1234'
  expect(passwordProblem('', NEW, NEW)).toBe('oldNeeded')
  expect(passwordProblem('old', '😀😀😀😀😀', '😀😀😀😀😀')).toBe('tooShort')
  expect(passwordProblem(NEW, NEW, NEW)).toBe('same')
  expect(passwordProblem('old', NEW, `${NEW}x`)).toBe('different')
  expect(passwordProblem('old', NEW, NEW)).toBeNull()
})

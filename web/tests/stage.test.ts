import { expect, test } from 'vitest'

import { stageOf } from '@/lib/stage'

import { LOGGED_IN, LOGGED_OUT, OPEN } from './sessions'

test('login and a password that is due come before the page', () => {
  expect(stageOf(null, false)).toBe('asking')
  expect(stageOf(LOGGED_OUT, true)).toBe('login')
  expect(stageOf({ ...LOGGED_IN, user: { name: 'wang', shown: '王警官', roles: [], must_change: true, external: false } }, true)).toBe('password')
  expect(stageOf(LOGGED_IN, true)).toBe('page')
})

test('the page stands at once where nobody logs in, and where the session cannot be read', () => {
  expect([stageOf(OPEN, true), stageOf(null, true)]).toEqual(['page', 'page'])
})

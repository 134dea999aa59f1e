import { expect, test } from 'vitest'

import { PURPOSES } from '@/api/types'
import { caseOf, headerOf, purposeOf, purposeProblem, showsPlates } from '@/lib/purpose'

test('the header has the words in ASCII', () => {
  expect(headerOf({ code: 'case' })).toBe('case')
  expect(headerOf({ code: 'other', text: '抽查; 3 月' })).toBe('other;%E6%8A%BD%E6%9F%A5%3B%203%20%E6%9C%88')
})

test.each([
  ['/api/query', true],
  ['/api/query/export', true],
  ['/api/track?hphm=x', true],
  ['/api/rejects?limit=5', true],
  ['/api/cases/7e3c8c7395193060', true],
  ['/api/warnings/7e3c8c7395193060', true],
  ['/api/cases?limit=20&hphm=%E8%8B%8F', true],
  ['/api/cases?limit=20', false],
  ['/api/cases/calibration', false],
  ['/api/warnings/realtime?limit=60', false],
  ['/api/audit?hphm=x', false],
  ['/api/session', false],
])('a purpose is needed for what shows plates: %s %s', (url, needed) => expect(showsPlates(url)).toBe(needed))

test('a case has its own, a list none', () => {
  expect([caseOf('/api/cases/7e3c8c7395193060'), caseOf('/api/cases?limit=1'), caseOf('/api/query')]).toEqual(['7e3c8c7395193060', null, null])
})

test('a reason is needed, and words for another one', () => {
  expect([purposeProblem('', 'x'), purposeProblem('other', ' '), purposeProblem('other', 'x'), purposeProblem('case', '')]).toEqual(['codeNeeded', 'textNeeded', null, null])
})

test('what was stored is one only if its reason is known', () => {
  expect(purposeOf({ code: 'case', text: 3, more: 1 }, PURPOSES)).toEqual({ code: 'case', text: undefined })
  expect([null, 'case', {}, { code: 'made_up' }].map((value) => purposeOf(value, PURPOSES))).toEqual([null, null, null, null])
})

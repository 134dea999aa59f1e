import { expect, test } from 'vitest'

import { passwordProblem } from '@/lib/password'

test('a new password is long, new, and typed the same twice', () => {
  const NEW = '十个字的新密码1234'
  expect(passwordProblem('', NEW, NEW)).toBe('oldNeeded')
  expect(passwordProblem('old', '😀😀😀😀😀', '😀😀😀😀😀')).toBe('tooShort')
  expect(passwordProblem(NEW, NEW, NEW)).toBe('same')
  expect(passwordProblem('old', NEW, `${NEW}x`)).toBe('different')
  expect(passwordProblem('old', NEW, NEW)).toBeNull()
})

/** What can be said of a new password before it is sent. The server has the last word. */

export const LEAST_CHARS = 10

export type PasswordProblem = 'oldNeeded' | 'tooShort' | 'same' | 'different'

export function passwordProblem(old: string, next: string, again: string): PasswordProblem | null {
  if (old === '') return 'oldNeeded'
  // Characters, not UTF-16 units.
  if ([...next].length < LEAST_CHARS) return 'tooShort'
  if (next === old) return 'same'
  return next === again ? null : 'different'
}

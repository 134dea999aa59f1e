/** Why plates are looked at: what a reason needs, and how it is sent. */
import type { Purpose, PurposeCode } from '@/api/types'

/** Limit of the server. */
export const MOST_CHARS = 200

export type PurposeProblem = 'codeNeeded' | 'textNeeded'

export function purposeProblem(code: PurposeCode | '', text: string): PurposeProblem | null {
  if (code === '') return 'codeNeeded'
  return code === 'other' && text.trim() === '' ? 'textNeeded' : null
}

/** The value of the header: a header holds ASCII only. */
export function headerOf({ code, text }: Purpose): string {
  return text ? `${code};${encodeURIComponent(text)}` : code
}

/** A purpose as it was stored; null if it is none. */
export function purposeOf(value: unknown, codes: readonly PurposeCode[]): Purpose | null {
  if (typeof value !== 'object' || value === null || !('code' in value)) return null
  const code = codes.find((known) => known === value.code)
  const text = 'text' in value && typeof value.text === 'string' ? value.text : undefined
  return code ? { code, text } : null
}

const SHOWS_PLATES = [
  /^\/api\/(query|query\/export|track|rejects)(\?|$)/,
  /^\/api\/(warnings|cases)\/[0-9a-f]{16}(\?|$)/,
  // A list that is filtered by plate.
  /^\/api\/(?!audit)[\w/]+\?(.*&)?hphm=/,
]

/** Whether the server wants a purpose with this request where one is required. */
export function showsPlates(url: string): boolean {
  return SHOWS_PLATES.some((pattern) => pattern.test(url))
}

/** The case that a request is about, which has a purpose of its own; null: it is of the session. */
export function caseOf(url: string): string | null {
  return /^\/api\/cases\/([0-9a-f]{16})(\?|$)/.exec(url)?.[1] ?? null
}

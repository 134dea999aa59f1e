// @vitest-environment jsdom
import { describe, expect, test } from 'vitest'

import { i18n } from '@/i18n'

type Texts = Record<string, unknown>

function flat(texts: Texts, prefix = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null ? flat(value as Texts, `${prefix}${key}.`) : [[prefix + key, String(value)] as [string, string]],
  )
}

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
const [zh, en] = [flat(i18n.global.messages.value.zh as Texts), flat(i18n.global.messages.value.en as Texts)]

describe('texts', () => {
  test('there are as many in both languages', () => {
    expect(en.map(([key]) => key).sort()).toEqual(zh.map(([key]) => key).sort())
    expect(zh.length).toBeGreaterThan(100)
  })

  test('none is empty', () => expect([...zh, ...en].filter(([, text]) => text.trim() === '')).toEqual([]))

  test('both languages fill in the same values', () => {
    const english = new Map(en)
    expect(zh.filter(([key, text]) => places(text).join() !== places(english.get(key) ?? '').join())).toEqual([])
  })

  test('none holds a sign that the message syntax would take for its own', () => {
    // `@` links and `|` chooses a plural.
    expect([...zh, ...en].filter(([, text]) => /[@|]/.test(text))).toEqual([])
  })
})

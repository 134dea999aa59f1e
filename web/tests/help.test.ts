import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { helpOf } from '@/lib/help'
import { PAGES } from '@/router'

const BOOKS = join(import.meta.dirname, '../../docs/book')

describe('the help of a page', () => {
  it('is its chapter, in the language of the page', () => {
    expect(helpOf('cases', 'zh')).toBe('/docs/zh/desk/cases.html')
    expect(helpOf('screen', 'en')).toBe('/docs/en/desk/screen.html')
  })

  it('is the handbook where a page has no chapter', () => {
    for (const page of ['account', 'notFound', undefined]) expect(helpOf(page, 'zh')).toBe('/docs/zh/')
  })

  it('is written for every page of the navigation', () => {
    for (const page of PAGES) {
      for (const language of ['zh', 'en']) expect(existsSync(join(BOOKS, language, 'src/desk', `${page}.md`)), `${language} ${page}`).toBe(true)
    }
  })
})

/** Where the documentation explains a page: each page of the navigation has a chapter of its name in each language. */
import { PAGES } from '@/router'

export function helpOf(page: unknown, language: 'zh' | 'en'): string {
  const known = PAGES.find((name) => name === page)
  return known ? `/docs/${language}/desk/${known}.html` : `/docs/${language}/`
}

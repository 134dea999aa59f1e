/**
 * The languages of the page: 中文 first, English. Each page brings `<page>.zh.ts` and `<page>.en.ts` here; the English
 * one has the type of the Chinese one, so that no text can be missing.
 */
import { computed, watchEffect } from 'vue'
import { createI18n } from 'vue-i18n'

export const LOCALES = ['zh', 'en'] as const
export type Locale = (typeof LOCALES)[number]

const STORED_AS = 'platewatch.locale'

type Messages = Record<string, Record<string, unknown>>

function collect(files: Record<string, unknown>): Messages {
  return Object.fromEntries(
    Object.entries(files).map(([path, texts]) => [path.replace(/^\.\/(\w+)\..*$/, '$1'), texts as Messages[string]]),
  )
}

function stored(): Locale {
  const found = localStorage.getItem(STORED_AS)
  return LOCALES.find((locale) => locale === found) ?? 'zh'
}

export const i18n = createI18n({
  legacy: false,
  locale: stored(),
  fallbackLocale: 'zh',
  messages: {
    zh: collect(import.meta.glob('./*.zh.ts', { eager: true, import: 'default' })),
    en: collect(import.meta.glob('./*.en.ts', { eager: true, import: 'default' })),
  },
})

/** The language in use. */
export const locale = computed<Locale>({
  get: () => i18n.global.locale.value as Locale,
  set: (next) => {
    i18n.global.locale.value = next
    localStorage.setItem(STORED_AS, next)
  },
})

watchEffect(() => {
  document.documentElement.lang = locale.value === 'zh' ? 'zh-CN' : 'en'
})

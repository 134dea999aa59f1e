/**
 * Pages of a real Chromium that keep what must not happen: errors on the console, requests to another host.
 *
 * `import { test } from "./browser"`, then `test('what', async ({ open }) => { const page = await open('/query') … })`.
 */
import AxeBuilder from '@axe-core/playwright'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect, inject, test as base } from 'vitest'

import { browser } from './browserProcess'

export interface Opening extends BrowserContextOptions {
  /** Another server than the shared one. */
  url?: string
  language?: 'zh' | 'en'
  /** Lets failing requests pass: the server is stopped on purpose. */
  serverGoesAway?: boolean
  /** Lets answers that are errors pass: they are asked for on purpose. The browser itself logs each. */
  expectsErrors?: boolean
}

/** What a page did that none may. */
class Offences {
  readonly found: string[] = []

  watch(page: Page, host: string, failuresPass: boolean) {
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (!['data:', 'blob:'].includes(url.protocol) && url.host !== host) this.found.push(`request to ${url.href}`)
    })
    page.on('pageerror', (error) => this.found.push(`uncaught: ${error.message}`))
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return
      if (failuresPass && /Failed to load resource|net::ERR_|dynamically imported module|Unable to preload/.test(message.text())) return
      this.found.push(`${message.type()}: ${message.text()} (${message.location().url})`)
    })
  }
}

interface Fixtures {
  open: (path: string, options?: Opening) => Promise<Page>
}

export const test = base.extend<Fixtures>({
  open: async ({}, use) => {
    const contexts: BrowserContext[] = []
    const offences = new Offences()
    await use(async (path, options = {}) => {
      const { url = inject('url'), language, serverGoesAway = false, expectsErrors = false, ...rest } = options
      const context = await (await browser()).newContext({
        viewport: { width: 1920, height: 1080 },
        locale: 'zh-CN',
        baseURL: url,
        ...rest,
      })
      contexts.push(context)
      if (language) {
        await context.addInitScript((locale) => localStorage.setItem('platewatch.locale', locale), language)
      }
      const page = await context.newPage()
      offences.watch(page, new URL(url).host, serverGoesAway || expectsErrors)
      await page.goto(path)
      return page
    })
    for (const context of contexts) await context.close()
    expect(offences.found).toEqual([])
  },
})

/** Axe's serious and critical findings on what is shown, as texts. What moves rests first: a line that fades in lacks contrast. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'))
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`))
}

/** Chooses from a list by its name, with the keyboard as far as the list. */
export async function choose(page: Page, list: string, entry: string): Promise<void> {
  await page.getByRole('combobox', { name: list, exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('option', { name: entry, exact: true }).click()
}

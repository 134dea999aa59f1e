/** The handbook: it is read without a login, under the policy of the page, and searched in both languages. */
import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'

import { seriousViolations, test } from './browser'

const searchField = (page: Page) => page.getByRole('searchbox')
const results = (page: Page) => page.getByRole('search').getByRole('listitem')

/** Types it and waits until a result holds `expected`. */
async function search(page: Page, words: string, expected: RegExp) {
  await searchField(page).fill(words)
  await results(page).filter({ hasText: expected }).first().waitFor()
}

describe('the handbook', () => {
  test('opens in the language of the browser', async ({ open }) => {
    const chinese = await open('/docs/')
    await chinese.waitForURL((url) => url.pathname === '/docs/zh/')
    await chinese.getByRole('heading', { name: '关于本手册' }).waitFor()
    const english = await open('/docs', { locale: 'en-GB' })
    await english.waitForURL((url) => url.pathname === '/docs/en/')
    await english.getByRole('heading', { name: 'About this handbook' }).waitFor()
    expect(await english.evaluate(() => document.documentElement.lang)).toBe('en')
  })

  test('is opened by the help of a page, at its chapter and in its language', async ({ open }) => {
    for (const [language, name, path] of [['zh', '帮助', '/docs/zh/desk/warnings.html'], ['en', 'Help', '/docs/en/desk/warnings.html']] as const) {
      const page = await open('/warnings', { language })
      const help = page.getByRole('link', { name, exact: true })
      const [opened] = await Promise.all([page.context().waitForEvent('page'), help.click()])
      await opened.waitForURL((url) => url.pathname === path)
      await opened.getByRole('img').first().waitFor()
    }
  })

  test('switches to the same chapter in the other language', async ({ open }) => {
    const page = await open('/docs/zh/desk/cameras.html')
    await page.getByRole('link', { name: 'English' }).click()
    await page.waitForURL((url) => url.pathname === '/docs/en/desk/cameras.html')
    await page.getByRole('heading', { level: 1, name: 'Cameras' }).waitFor()
    expect(await page.getByRole('navigation').locator('[aria-current=page]').textContent()).toBe('Cameras')
  })

  test('shows every picture', async ({ open }) => {
    const page = await open('/docs/zh/tour.html')
    const widths = await page.locator('main img').evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth))
    expect(widths.length).toBeGreaterThan(4)
    expect(widths.every((width) => width > 0)).toBe(true)
  })
})

describe('its search', () => {
  test('finds Chinese words inside of sentences', async ({ open }) => {
    const page = await open('/docs/zh/')
    await search(page, '套牌', /预警的种类与原因/)
    expect(await results(page).first().getByText('套牌').count()).toBeGreaterThan(0)
    // Two words must both be there; a sentence is found by its parts.
    await search(page, '设备 时钟', /设备/)
    await search(page, '时钟不准怎么办', /时钟/)
    await searchField(page).fill('斑马线')
    await page.getByRole('status').getByText('没有找到').waitFor()
  })

  test('leads to the place, by the keyboard', async ({ open }) => {
    const page = await open('/docs/zh/')
    await page.keyboard.press('/')
    await page.keyboard.type('号牌误识别')
    await results(page).first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/docs/zh/desk/kinds.html' && url.hash !== '')
    await page.getByRole('heading', { name: '号牌误识别' }).waitFor()
  })

  test('finds English words in any case, and says when there is nothing', async ({ open }) => {
    const page = await open('/docs/en/reference/kafka.html')
    await search(page, 'ADVERTISED.listeners', /Kafka/)
    await search(page, 'watermark', /watermark/i)
    await searchField(page).fill('zebra crossing')
    await page.getByRole('status').getByText('Nothing found').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('status').isVisible()).toBe(false)
  })
})

test('axe finds nothing serious, in both languages, light and dark, and on a phone', async ({ open }) => {
  for (const [path, width, colorScheme] of [
    ['/docs/zh/', 1280, 'light'],
    ['/docs/zh/desk/kinds.html', 1280, 'dark'],
    ['/docs/zh/tour.html', 390, 'light'],
    ['/docs/en/reference/configuration.html', 1280, 'dark'],
    ['/docs/en/desk/screen.html', 390, 'dark'],
  ] as const) {
    const page = await open(path, { viewport: { width, height: 844 }, colorScheme })
    await searchField(page).fill(path.includes('/zh/') ? '套牌' : 'clock')
    await results(page).first().waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
  }
})

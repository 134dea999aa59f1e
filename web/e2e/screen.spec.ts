import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject } from 'vitest'

import { seriousViolations, test } from './browser'
import { Live } from './live'
import { until } from './server'

let live: Live
beforeAll(async () => {
  live = await Live.with(12)
})
afterAll(() => live.server.remove())

const number = async (page: Page, index: number) =>
  Number((await page.getByTestId('headline').nth(index).innerText()).replaceAll(',', ''))

interface Answer<T> {
  data: T
}
const api = async <T>(path: string) => ((await (await fetch(inject('url') + path)).json()) as Answer<T>).data

test('the headline numbers are the server’s, and move', async ({ open }) => {
  const page = await open('/')
  const passages = page.getByTestId('headline').first()
  await until('a first number', async () => /\d/.test(await passages.innerText()))
  const before = await number(page, 0)
  const { today } = await api<{ today: number }>('/api/overview')
  expect(Math.abs(today - before)).toBeLessThan(2000)
  await until('the number grows', async () => (await number(page, 0)) > before, 20_000)
})

test('every panel shows data', async ({ open }) => {
  const page = await open('/')
  for (const name of ['卡口过车 Top 10', '区县分布', '车辆类型', '卡口分布与流量', '24 小时过车量', '套牌预警', '车辆品牌']) {
    const panel = page.getByRole('region', { name, exact: true })
    await panel.locator('li, canvas, svg a').first().waitFor()
    expect(await panel.getAttribute('aria-busy')).toBe('false')
  }
  expect(await page.getByRole('region', { name: '卡口过车 Top 10' }).getByRole('listitem').count()).toBe(10)
  expect(await page.getByRole('region', { name: '卡口分布与流量' }).locator('a.node').count()).toBe(
    (await api<unknown[]>('/api/checkpoints')).length,
  )
})

test('new data is merged into the charts that are there', async ({ open }) => {
  const page = await open('/')
  await page.locator('canvas').nth(1).waitFor()
  const charts = page.locator('[_echarts_instance_]')
  const ids = () => charts.evaluateAll((all) => all.map((one) => one.getAttribute('_echarts_instance_')))
  const first = await ids()
  expect(first.length).toBe(2)
  await page.locator('canvas').evaluateAll((all) => all.forEach((canvas) => canvas.setAttribute('data-kept', '')))
  const before = await number(page, 0)
  await until('data moved on', async () => (await number(page, 0)) > before + 50, 30_000)
  await page.waitForResponse(/hour_count/)
  expect(await ids()).toEqual(first)
  expect(await page.locator('canvas:not([data-kept])').count()).toBe(0)
})

test('an alert that is raised comes in on top, with a pulse on the map', async ({ open }) => {
  const page = await open('/', { url: live.server.url })
  const newest = page.getByTestId('ticker').locator('[data-seq]').first()
  const before = Number(await newest.getAttribute('data-seq'))
  const pulse = page.getByTestId('pulses').locator('circle').first().waitFor({ state: 'attached' })
  await live.raise()
  await until('the new alert', async () => Number(await newest.getAttribute('data-seq')) === before + 1)
  await pulse
})

test('the list holds still under the pointer', async ({ open }) => {
  const page = await open('/', { url: live.server.url })
  const list = page.getByTestId('ticker')
  await list.locator('[data-seq]').first().waitFor()
  await list.hover()
  await page.getByText('已暂停').waitFor()
  const held = await list.locator('[data-seq]').first().getAttribute('data-seq')
  await live.raise()
  await list.getByText(/1 条新预警/).waitFor()
  expect(await list.locator('[data-seq]').first().getAttribute('data-seq')).toBe(held)
  await page.getByRole('heading', { name: '24 小时过车量' }).hover()
  await until('it goes on', async () => (await list.locator('[data-seq]').first().getAttribute('data-seq')) !== held, 20_000)
})

test('the list shows those of severity high alone if so asked, and stays so', async ({ open }) => {
  const page = await open('/')
  const rows = page.getByTestId('ticker').locator('[data-seq]')
  await rows.first().waitFor()
  await page.getByRole('button', { name: '只看 高' }).click()
  const { records } = await api<{ records: { seq: number }[] }>('/api/warnings?severity=high&limit=3')
  await until('the newest of severity high', async () => Number(await rows.first().getAttribute('data-seq')) >= (records[0]?.seq ?? Infinity))
  const severities = () => rows.evaluateAll((all) => all.map((row) => row.querySelector('.mark.high') !== null))
  expect((await severities()).length).toBeGreaterThan(2)
  expect(await severities()).not.toContain(false)
  await page.reload()
  await rows.first().waitFor()
  expect(await severities()).not.toContain(false)
  await page.getByRole('link', { name: '全部预警' }).click()
  await page.waitForURL((url) => url.searchParams.get('severity') === 'high')
  // One that is opened stands in the same list.
  await page.goBack()
  await rows.first().click()
  await page.waitForURL((url) => /^\/warnings\/[0-9a-f]{16}$/.test(url.pathname) && url.searchParams.get('severity') === 'high')
})

test('sound is off until it is switched on', async ({ open }) => {
  const page = await open('/')
  const sound = page.getByRole('button', { name: '打开提示音' })
  expect(await sound.getAttribute('aria-pressed')).toBe('false')
  await sound.click()
  expect(await page.getByRole('button', { name: '关闭提示音' }).getAttribute('aria-pressed')).toBe('true')
})

test('one key fills the screen, and gives it back', async ({ open }) => {
  const page = await open('/')
  const full = () => page.evaluate(() => document.fullscreenElement !== null)
  await page.getByTestId('headline').first().waitFor()
  await page.keyboard.press('f')
  await until('full screen', full, 10_000)
  await page.getByRole('button', { name: /退出全屏/ }).waitFor()
  await page.keyboard.press('f')
  await until('no full screen', async () => !(await full()), 10_000)
})

const SIZES = [
  [1280, 720],
  [1366, 768],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
  // 1920×1080 at a zoom of 200 % and 1280×720 at 200 %.
  [960, 540],
  [640, 360],
] as const

test.for(['zh', 'en'] as const)('it fits from 1280×720 to 3840×2160, and scrolls below (%s)', async (language, { open }) => {
  const page = await open('/', { language })
  await page.locator('canvas').nth(1).waitFor()
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    await page.waitForTimeout(400)
    const { over, cut, heads } = await page.evaluate(() => ({
      over: { x: document.documentElement.scrollWidth - innerWidth, y: document.documentElement.scrollHeight - innerHeight },
      // Panels whose content is wider or higher than they are; the lists of alerts and cases are meant to be.
      cut: [...document.querySelectorAll('section.panel')]
        .filter((panel) => !panel.querySelector('[data-testid=ticker], [data-testid=suspects]'))
        .filter((panel) => panel.scrollWidth > panel.clientWidth + 1 || panel.scrollHeight > panel.clientHeight + 1)
        .map((panel) => panel.getAttribute('aria-label')),
      heads: [...document.querySelectorAll('section.panel > header')]
        .filter((head) => head.scrollWidth > head.clientWidth || head.clientHeight > 3 * parseFloat(getComputedStyle(document.documentElement).fontSize))
        .map((head) => head.textContent),
    }))
    expect({ width, cut, heads, x: over.x }).toEqual({ width, cut: [], heads: [], x: 0 })
    if (width >= 1280) expect({ width, y: over.y }).toEqual({ width, y: 0 })
    // Charts follow.
    const sizes = await page.locator('canvas').evaluateAll((all) => all.map((one) => [one.clientWidth, one.parentElement?.clientWidth]))
    for (const [own, parent] of sizes) expect(Math.abs((own ?? 0) - (parent ?? 0))).toBeLessThanOrEqual(2)
  }
})

test('it works at device pixel ratios of 0.5 and 2', async ({ open }) => {
  for (const deviceScaleFactor of [0.5, 2]) {
    const page = await open('/', { viewport: { width: 1920 / deviceScaleFactor, height: 1080 / deviceScaleFactor }, deviceScaleFactor })
    await page.locator('canvas').nth(1).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
  }
})

test('less motion is honoured', async ({ open }) => {
  const page = await open('/', { reducedMotion: 'reduce' })
  await page.getByTestId('ticker').locator('[data-seq]').first().waitFor()
  const longest = await page.evaluate(() =>
    Math.max(...document.getAnimations().map((animation) => Number(animation.effect?.getComputedTiming().duration ?? 0)), 0),
  )
  expect(longest).toBeLessThanOrEqual(1)
})

test('axe finds nothing serious, in both languages', async ({ open }) => {
  for (const language of ['zh', 'en'] as const) {
    const page = await open('/', { language })
    await page.locator('canvas').nth(1).waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

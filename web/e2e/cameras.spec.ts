/** Cameras, and how long cars take, on traffic that an appliance has learnt from; and what is said where it has not. */
import { afterAll, beforeAll, expect } from 'vitest'

import { type Appliance, appliance, passage } from './appliance'
import { seriousViolations, test } from './browser'
import { CLONED, FAST, road } from './road'

let learnt: Appliance
let early: Appliance
let off: Appliance
beforeAll(async () => {
  learnt = await appliance(road())
  const few = [passage('P1', 'G3_Sulu', '2024-01-01 08:00:00', '苏C10001'), passage('P2', 'S250_Pizhou_Sulu', '2024-01-01 08:10:00', '苏C10001')]
  early = await appliance(few)
  off = await appliance(few, '[detect]\nevidence = "off"')
}, 120_000)
afterAll(() => Promise.all([learnt, early, off].map((one) => one.remove())))

test('the wrong clock comes first, with what to do, and leads to its passages', async ({ open }) => {
  const page = await open('/cameras', { url: learnt.url })
  const first = page.getByTestId('camera').first()
  await first.getByText(/^时钟快 (4 分 5\d 秒|5 分)/).waitFor()
  await first.getByText('校准时钟，并开启自动校时（NTP）').waitFor()
  expect(await page.getByTestId('camera').count()).toBe(8)
  await page.getByRole('button', { name: /^异常/ }).click()
  await page.waitForURL((url) => url.searchParams.get('state') === 'bad')
  expect(await page.getByTestId('camera').count()).toBe(1)
  await first.getByRole('link', { name: /的过车记录$/ }).click()
  await page.waitForURL((url) => url.pathname === '/query' && url.searchParams.get('kkmc') === FAST.kkmc)
})

test('the wall counts it and marks it on the map, which leads to its row', async ({ open }) => {
  const page = await open('/', { url: learnt.url })
  await page.getByTestId('camera-legend').getByText('异常 1').waitFor()
  const mark = page.getByTestId('camera-marks').locator('a.bad')
  expect(await mark.count()).toBe(1)
  expect(await mark.getAttribute('aria-label')).toContain('时钟快 5 分')
  await mark.click()
  await page.waitForURL((url) => url.pathname === '/cameras' && url.searchParams.get('kkmc') === FAST.kkmc)
  expect(await page.getByTestId('camera').count()).toBe(1)
  await page.getByRole('button', { name: '显示全部设备' }).click()
  await page.waitForURL((url) => url.search === '')
})

test('the system page says how many are bad, and where to look', async ({ open }) => {
  const page = await open('/system', { url: learnt.url })
  await page.getByText('1 台设备异常').waitFor()
  await page.getByRole('region', { name: '运行状况' }).getByRole('link', { name: '设备' }).click()
  await page.waitForURL((url) => url.pathname === '/cameras')
})

test('before the first hour, and where nothing is learnt, it says so', async ({ open }) => {
  const page = await open('/cameras', { url: early.url })
  await page.getByText(/^过车还太少/).waitFor()
  const other = await open('/cameras', { url: off.url })
  await other.getByText(/^未开启：detect.evidence/).waitFor()
})

test('a case shows how long cars take, with its own gap', async ({ open }) => {
  const page = await open(`/cases?hphm=${encodeURIComponent(CLONED)}`, { url: learnt.url })
  await page.getByRole('link', { name: `查看嫌疑车辆 ${CLONED}` }).first().click()
  await page.getByTestId('times').getByText(/次行驶中一半在 .* 以内，本案两次过车只隔/).waitFor()
  const chart = page.getByRole('region', { name: '两地间的行驶时间' }).getByRole('img')
  expect(await chart.locator('rect.bar').count()).toBeGreaterThan(5)
  await chart.getByText(/^本案 /).waitFor()
  await chart.getByText(/^最快 /).waitFor()
})

test('axe finds nothing serious, in both languages and on a phone', async ({ open }) => {
  for (const path of ['/cameras', `/cases?hphm=${encodeURIComponent(CLONED)}`]) {
    for (const [language, width] of [['zh', 1920], ['en', 1280], ['zh', 390]] as const) {
      const page = await open(path, { url: learnt.url, language, viewport: { width, height: 844 } })
      await page.locator('tbody tr').first().waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
  }
})

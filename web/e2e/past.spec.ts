/** A capture of the past that is served today, and a store that holds nothing. */
import { afterAll, beforeAll, expect } from 'vitest'

import { type Appliance, appliance, passage } from './appliance'
import { seriousViolations, test } from './browser'

const DAY = '2023-12-09'
/** Two clones, one of them seen at a checkpoint that no catalogue knows, after a day with fewer passages. */
const LINES = [
  passage('P1', 'S250_Pizhou_Sulu', '2023-12-08 10:00:00', '苏C10001'),
  ...Array.from({ length: 30 }, (_, number) => passage(`P2${number}`, 'G3_Sulu', `${DAY} 08:00:${10 + number}`, `苏C2${1000 + number}`)),
  passage('P3', 'G3_Sulu', `${DAY} 09:00:00`, '苏C12345'),
  passage('P4', 'S250_Pizhou_Sulu', `${DAY} 09:01:00`, '苏C12345'),
  passage('P5', '无名卡口', `${DAY} 09:02:00`, '苏C54321'),
  passage('P6', 'G3_Sulu', `${DAY} 09:04:00`, '苏C54321'),
]

let past: Appliance
let empty: Appliance
beforeAll(async () => {
  past = await appliance(LINES)
  empty = await appliance([])
})
afterAll(() => Promise.all([past, empty].map((one) => one.remove())))

test('the wall speaks of the data’s day, with its date', async ({ open }) => {
  const page = await open('/', { url: past.url })
  const numbers = page.locator('section.numbers .number')
  await numbers.filter({ hasText: '当日过车' }).filter({ hasText: '34' }).filter({ hasText: DAY }).waitFor()
  await numbers.filter({ hasText: '当日预警' }).filter({ hasText: '2' }).filter({ hasText: DAY }).waitFor()
  await numbers.filter({ hasText: '最新过车' }).filter({ hasText: DAY }).filter({ hasText: '09:04:00' }).waitFor()
  const ticker = page.getByTestId('ticker')
  await ticker.getByText(`${DAY} 09:04:00`).waitFor()
  await page.getByText(`接入已结束，显示的是截至 ${DAY} 09:04:00 的数据`).last().waitFor()
  for (const wrong of ['今日过车', '今日预警', '数据时延']) expect(await page.getByText(wrong).count(), wrong).toBe(0)
  expect(await seriousViolations(page)).toEqual([])
})

test('without a model the forecast page shows what was counted, and says so', async ({ open }) => {
  const page = await open('/predict', { url: past.url })
  await page.getByText('尚无模型：按已有计数的均值').waitFor()
  await page.getByText('尚无预测模型，图中为历史均值。').waitFor()
  expect(await page.getByRole('region', { name: '逐小时' }).locator('tbody tr').count()).toBe(24)
  expect(await seriousViolations(page)).toEqual([])
})

test('a sighting without coordinates is told in words, and the other keeps its number', async ({ open }) => {
  const page = await open('/warnings?hphm=苏C54321', { url: past.url })
  await page.getByTestId('alerts').locator('tbody tr').first().click()
  const map = page.getByRole('region', { name: '两次过车的位置' })
  await map.getByText('无名卡口：没有坐标，不在图上').waitFor()
  expect(await map.getByRole('listitem').count()).toBe(2)
  expect(await map.locator('.sighting .order').allTextContents()).toEqual(['2'])
})

test('of a store that holds nothing it is not said that all is well', async ({ open }) => {
  for (const [language, text, wrong] of [
    ['zh', '尚未收到任何过车记录', '运行正常'],
    ['en', 'No passage received yet', 'No problems'],
  ] as const) {
    const page = await open('/system', { url: empty.url, language })
    await page.getByText(text).waitFor()
    expect(await page.getByText(wrong).count()).toBe(0)
  }
})

test('every page of an empty store answers', async ({ open }) => {
  for (const path of ['/', '/query', '/warnings', '/predict', '/system']) {
    const page = await open(path, { url: empty.url })
    await page.locator('section.panel').first().waitFor()
    await page.waitForLoadState('networkidle')
    expect(await page.getByRole('alert').count(), path).toBe(0)
  }
})

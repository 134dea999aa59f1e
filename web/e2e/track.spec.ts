import type { Page } from 'playwright-core'
import { expect, inject } from 'vitest'

import { seriousViolations, test } from './browser'

interface Alert {
  hphm: string
  prev_gcxh: string
  curr_gcxh: string
}

/** An alert that says that no car can have done it; the demo plants such. */
async function impossibleAlert(): Promise<Alert> {
  const answer = (await (await fetch(`${inject('url')}/api/warnings?severity=high&limit=1`)).json()) as { data: { records: Alert[] } }
  const [alert] = answer.data.records
  if (!alert) throw new Error('the demo has no alert of high severity')
  return alert
}

const track = (plate: string, query = '') => `/track/${encodeURIComponent(plate)}${query}`
const sightings = (page: Page) => page.locator('ol li')

test('a plate that is typed leads to its track', async ({ open }) => {
  const { hphm } = await impossibleAlert()
  const page = await open('/track')
  // Without order and in lower case, as people type.
  await page.getByLabel('号牌号码').fill(` ${hphm.toLowerCase()} `)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/track\/./)
  await page.getByRole('region', { name: /的轨迹/ }).getByText(hphm, { exact: true }).waitFor()
})

test('impossible moves are marked on the list, the map and the time line', async ({ open }) => {
  const { hphm } = await impossibleAlert()
  const page = await open(track(hphm))
  await sightings(page).first().waitFor()
  expect(await page.locator('li.impossible').getByText('不可能到达').count()).toBeGreaterThan(0)
  expect(await page.locator('svg path.impossible').count()).toBeGreaterThan(0)
  expect(await page.locator('svg line.impossible').count()).toBeGreaterThan(0)
})

test('it shows every sighting that the server knows, newest first', async ({ open }) => {
  const { hphm } = await impossibleAlert()
  const answer = (await (await fetch(`${inject('url')}/api/track?hphm=${encodeURIComponent(hphm)}`)).json()) as {
    data: { total: number; records: { GCSJ: string }[] }
  }
  const page = await open(track(hphm, `?end=${encodeURIComponent(answer.data.records.at(-1)?.GCSJ ?? '')}`))
  await sightings(page).first().waitFor()
  const times = await page.locator('ol .time').allInnerTexts()
  expect(times).toEqual(answer.data.records.map(({ GCSJ }) => GCSJ).reverse())
})

test('a sighting is chosen by keyboard, by pointer and by the address', async ({ open }) => {
  const { hphm, curr_gcxh, prev_gcxh } = await impossibleAlert()
  const page = await open(track(hphm, `?at=${curr_gcxh}`))
  await page.locator('ol button[aria-current=true]').waitFor()
  await page.locator('ol button').last().focus()
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.searchParams.get('at') !== curr_gcxh)
  expect(await page.locator('ol button').last().getAttribute('aria-current')).toBe('true')
  await page.goto(track(hphm, `?at=${prev_gcxh}`))
  await page.locator('circle.mark.chosen').waitFor()
})

test('a span of time narrows it, and an empty one says so', async ({ open }) => {
  const { hphm } = await impossibleAlert()
  const page = await open(track(hphm, '?start=2020-01-01&end=2020-01-02'))
  await page.getByText(`这段时间没有 ${hphm} 的过车记录`).waitFor()
})

test('what is no whole plate is told what to do', async ({ open }) => {
  const page = await open(track('苏C*99'))
  await page.getByText('含 * 或 ? 的查找请用查询').waitFor()
  const unknown = await open(track('苏C0000O'))
  await unknown.getByText('没有 苏C0000O 的过车记录').waitFor()
})

test('without a plate it offers those of the newest alerts', async ({ open }) => {
  const page = await open('/track')
  await page.getByRole('region', { name: '最近预警的车辆' }).getByRole('link').first().click()
  await page.waitForURL(/\/track\/./)
  await sightings(page).first().waitFor()
})

test('it is fit for everyone, in both languages', async ({ open }) => {
  const { hphm } = await impossibleAlert()
  for (const language of ['zh', 'en'] as const) {
    const page = await open(track(hphm), { language })
    await sightings(page).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

import { readFile } from 'node:fs/promises'

import type { Page } from 'playwright-core'
import { expect, inject } from 'vitest'

import { seriousViolations, test } from './browser'
import { until } from './server'

interface Passages {
  total: number
  records: { GCXH: string; HPHM: string; GCSJ: string; KKMC: string }[]
}

async function query(body: Record<string, unknown>): Promise<Passages> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(`${inject('url')}/api/query`, { method: 'POST', headers, body: JSON.stringify(body) })
  return ((await response.json()) as { data: Passages }).data
}

/** A minute of the demo's history: no camera is so slow, and none sends so late, that anything is added to it any more. */
async function pastMinute(): Promise<{ startTime: string; endTime: string }> {
  const response = await fetch(`${inject('url')}/api/status`)
  const { newest_gcsj: newest } = ((await response.json()) as { data: { newest_gcsj: string } }).data
  const millis = Date.parse(`${newest.replace(' ', 'T')}Z`) - 3 * 3_600_000
  const minute = new Date(millis).toISOString().slice(0, 16).replace('T', ' ')
  return { startTime: `${minute}:00`, endTime: `${minute}:59` }
}

const address = (filters: Record<string, string>) => `/query?${new URLSearchParams(filters).toString()}`
/** The table of the result; the calendars of the filters are tables too. */
const table = (page: Page) => page.getByRole('region', { name: /^(过车记录|Passages)$/ })
const rows = (page: Page) => table(page).locator('tbody tr')
const column = async (page: Page, index: number) => table(page).locator(`tbody td:nth-child(${index})`).allInnerTexts()
const count = async (page: Page) => Number(((await page.getByText(/^共 .* 条$/).textContent()) ?? '').replace(/\D/g, ''))

test('the newest passages are there at once, newest first', async ({ open }) => {
  const page = await open('/query')
  await rows(page).first().waitFor()
  const times = await column(page, 1)
  expect(times).toHaveLength(50)
  expect([...times].sort().reverse()).toEqual(times)
})

test('a plate pattern that is typed is searched for, lives in the address and survives a reload', async ({ open }) => {
  const page = await open('/query')
  await page.getByLabel('号牌号码').fill('苏C*8')
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.searchParams.get('hphm') === '苏C*8')
  await until('only such plates', async () => {
    const plates = await column(page, 2)
    return plates.length > 0 && plates.every((plate) => /苏C.*8/.test(plate))
  })
  await page.reload()
  await rows(page).first().waitFor()
  expect(await page.getByLabel('号牌号码').inputValue()).toBe('苏C*8')
  await page.getByRole('button', { name: '清空' }).click()
  await page.waitForURL((url) => url.search === '')
})

test('what is chosen in lists is searched for', async ({ open }) => {
  const page = await open('/query')
  for (const [field, option, parameter] of [['车辆类型', '货车', 'vehicleType'], ['燃料类型', '燃油', 'fuelType'], ['号牌省份', '苏 江苏', 'province']] as const) {
    await page.getByRole('combobox', { name: field }).click()
    await page.getByRole('option', { name: option, exact: true }).click()
    await page.getByRole('button', { name: '查询', exact: true }).click()
    await page.waitForURL((url) => url.searchParams.has(parameter))
  }
  await until('only lorries of Jiangsu', async () => {
    const plates = await column(page, 2)
    return plates.length > 0 && plates.every((plate) => plate.startsWith('苏'))
  })
  expect(new Set(await column(page, 7))).toEqual(new Set(['货车']))
})

test('a link with every filter shows what the server answers to the same', async ({ open }) => {
  const minute = await pastMinute()
  const [some] = (await query({ ...minute, vehicleType: '小型客车', fuelType: '燃油', hpzl: '02', limit: 1 })).records
  const filters = { ...minute, kkmc: some?.KKMC ?? '', vehicleType: '小型客车', fuelType: '燃油', hpzl: '02', province: some?.HPHM[0] ?? '' }
  const expected = await query({ ...filters, limit: 50 })
  expect(expected.total).toBeGreaterThan(0)
  const page = await open(address(filters))
  await rows(page).first().waitFor()
  expect(await count(page)).toBe(expected.total)
  expect(await column(page, 2)).toEqual(expected.records.map(({ HPHM }) => HPHM))
})

test('pages of what has settled turn without a gap or a repeat while traffic goes on', async ({ open }) => {
  // Cameras report late, some by minutes, so that the newest minutes still grow; hours ago they do not.
  const { endTime } = await pastMinute()
  const page = await open(`${address({ endTime })}&limit=20`)
  await rows(page).first().waitFor()
  const total = await count(page)
  const seen = await column(page, 10)
  for (const next of ['2', '3']) {
    await page.getByRole('button', { name: '下一页' }).click()
    await page.waitForURL((url) => url.searchParams.get('page') === next)
    await until('another page', async () => !(await column(page, 10)).some((id) => seen.includes(id)))
    const found = await column(page, 10)
    expect(found).toHaveLength(20)
    seen.push(...found)
  }
  expect(new Set(seen).size).toBe(60)
  expect(await count(page)).toBe(total)
  await page.goBack()
  await page.waitForURL((url) => url.searchParams.get('page') === '2')
})

test('the order is turned round, lives in the address and holds for the export', async ({ open }) => {
  const minute = await pastMinute()
  const page = await open(address(minute))
  await rows(page).first().waitFor()
  await page.getByRole('button', { name: /改为从旧到新/ }).click()
  await page.waitForURL((url) => url.searchParams.get('order') === 'oldest')
  const expected = (await query({ ...minute, order: 'oldest', limit: 50 })).records
  await until('the oldest first', async () => (await column(page, 1))[0] === expected[0]?.GCSJ)
  expect(await column(page, 10)).toEqual(expected.map(({ GCXH }) => GCXH))
  await page.getByRole('button', { name: '导出 CSV' }).click()
  const download = page.waitForEvent('download')
  await page.getByRole('dialog').getByRole('button', { name: '开始导出' }).click()
  const [, first] = (await readFile(await (await download).path(), 'utf8')).split('\r\n')
  expect(first).toContain(expected[0]?.GCXH)
})

test('a search without an end is held while one turns its pages', async ({ open }) => {
  const page = await open('/query?limit=20')
  // Only once the first search is answered: it would be counted too.
  await rows(page).first().waitFor()
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/api/query')) asked.push((JSON.parse(request.postData() ?? '{}') as { endTime: string }).endTime)
  })
  await page.reload()
  await rows(page).first().waitFor()
  await page.waitForTimeout(4_000)
  await page.getByRole('button', { name: '下一页' }).click()
  await until('the second page is asked for', () => Promise.resolve(asked.length === 2))
  expect(asked[0]).toMatch(/^\d{4}-/)
  expect(asked[1]).toBe(asked[0])
})

test('columns are chosen and stay so', async ({ open }) => {
  const page = await open('/query')
  await rows(page).first().waitFor()
  await page.getByRole('button', { name: '选择列' }).click()
  await page.getByText('卡口名称', { exact: true }).click()
  await page.getByRole('columnheader', { name: '卡口名称' }).waitFor()
  await page.reload()
  await page.getByRole('columnheader', { name: '卡口名称' }).waitFor()
})

test('the whole result is exported, with the columns of the table', async ({ open }) => {
  const minute = await pastMinute()
  const expected = await query({ ...minute, limit: 1 })
  expect(expected.total).toBeGreaterThan(50)
  const page = await open(address(minute))
  await rows(page).first().waitFor()
  await page.getByRole('button', { name: '导出 CSV' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(/api\.export_max_rows/).waitFor()
  expect(await seriousViolations(page)).toEqual([])
  const download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: '开始导出' }).click()
  const text = await readFile(await (await download).path(), 'utf8')
  const lines = text.trimEnd().split('\r\n')
  expect(lines[0]?.startsWith('\ufeff')).toBe(true)
  expect((lines[0] ?? '').split(',')).toHaveLength(10)
  expect(lines).toHaveLength(expected.total + 1)
  await dialog.getByText(/已导出/).waitFor()
})

test('a row opens the track of its plate, by pointer and by keyboard', async ({ open }) => {
  const page = await open('/query?hphm=苏C')
  await rows(page).first().waitFor()
  const [plate] = await column(page, 2)
  await rows(page).first().locator('td').first().click()
  await page.waitForURL((url) => decodeURIComponent(url.pathname) === `/track/${plate ?? ''}`)
  await page.goBack()
  await rows(page).first().waitFor()
  await rows(page).first().getByRole('link').focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/track\//)
})

test('nothing found, a page too far and a wrong filter are told apart', async ({ open }) => {
  const nothing = await open('/query?hphm=没有这样的号牌')
  await nothing.getByText('没有符合条件的过车记录').waitFor()
  const far = await open('/query?page=9999999')
  await far.getByText('没有第 9999999 页').waitFor()
  await far.getByRole('button', { name: '回到第一页' }).click()
  await rows(far).first().waitFor()
  const wrong = await open('/query?startTime=yesterday', { expectsErrors: true })
  await wrong.getByRole('alert').getByText(/startTime/).waitFor()
  await wrong.getByRole('button', { name: '重试' }).waitFor()
})

test('it is fit for everyone, in both languages', async ({ open }) => {
  for (const language of ['zh', 'en'] as const) {
    const page = await open('/query', { language })
    await rows(page).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

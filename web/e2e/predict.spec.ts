import { expect, inject } from 'vitest'

import { choose, seriousViolations, test } from './browser'
import { until } from './server'

async function model(): Promise<{ model: { kind: string } | null }> {
  return ((await (await fetch(`${inject('url')}/api/predict/model`)).json()) as { data: { model: { kind: string } | null } }).data
}

test('a day is forecast against what was counted', async ({ open }) => {
  await until('the demo has trained a model', async () => (await model()).model !== null, 100_000)
  const page = await open('/predict')
  await page.getByRole('img', { name: /全市 .* 各小时预测流量/ }).waitFor()
  const rows = page.getByRole('region', { name: '逐小时' }).locator('tbody tr')
  expect(await rows.count()).toBe(24)
  expect(await page.getByTestId('day-total').innerText()).toMatch(/^[\d,]+$/)
  await page.getByRole('region', { name: '预测模型' }).getByText('季节模型 seasonal').waitFor()
})

test('checkpoint and day are chosen, and live in the address', async ({ open }) => {
  const page = await open('/predict')
  const total = page.getByTestId('day-total')
  await total.waitFor()
  const city = await total.innerText()
  await choose(page, '卡口', 'G3-京台高速-苏鲁界')
  await page.waitForURL(/kkmc=G3_Sulu/)
  await until('another forecast', async () => (await total.innerText()) !== city)
  await page.getByRole('button', { name: '前一天' }).click()
  await page.waitForURL(/date=\d{4}-\d{2}-\d{2}/)
  await page.reload()
  await page.getByRole('img', { name: /G3-京台高速-苏鲁界/ }).waitFor()
  await page.getByRole('button', { name: '今天', exact: true }).click()
  await page.waitForURL((url) => !url.searchParams.has('date'))
})

test.for(['zh', 'en'] as const)('no column of the hours is cut (%s)', async (language, { open }) => {
  const page = await open('/predict', { language })
  const table = page.locator('.hours table')
  await table.locator('tbody tr').nth(23).waitFor()
  for (const [width, height] of [[1920, 1080], [1280, 720], [2560, 1440], [1024, 768]] as const) {
    await page.setViewportSize({ width, height })
    await page.waitForTimeout(300)
    const { cut, over } = await table.evaluate((element) => {
      const panel = element.closest('section.panel')
      const right = panel?.getBoundingClientRect().right ?? 0
      const cells = [...element.querySelectorAll('th, td')]
      return {
        cut: cells.filter((cell) => cell.getBoundingClientRect().right > right || cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent),
        over: document.documentElement.scrollWidth - innerWidth,
      }
    })
    expect({ width, cut, over }).toEqual({ width, cut: [], over: 0 })
  }
})

test('an unknown checkpoint says what there is', async ({ open }) => {
  const page = await open('/predict?kkmc=nowhere', { expectsErrors: true })
  await page.getByText(/nowhere/).first().waitFor()
})

test('the wall screen draws the forecast beside the counts', async ({ open }) => {
  const page = await open('/')
  await page.getByRole('img', { name: /各小时过车量.*预测：00:00 \d/ }).waitFor()
  expect(await page.getByText('尚无预测模型').count()).toBe(0)
})

test('axe finds nothing serious, in both languages', async ({ open }) => {
  for (const language of ['zh', 'en'] as const) {
    const page = await open('/predict', { language })
    await page.getByTestId('day-total').waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

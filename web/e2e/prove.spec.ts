/** The proof of the detection: what to run where there is none, and what it shows once it was made beside the appliance. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect } from 'vitest'

import { type Appliance, appliance } from './appliance'
import { seriousViolations, test } from './browser'
import { road } from './road'
import { BINARY } from './server'

let learnt: Appliance
beforeAll(async () => {
  learnt = await appliance(road())
}, 60_000)
afterAll(() => learnt.remove())

test('without a proof it says what to run, and then shows what came of it', async ({ open }) => {
  const page = await open('/prove', { url: learnt.url, expectsErrors: true })
  await page.getByRole('alert').getByText(/platewatch prove --data-dir DIR/).waitFor()
  await promisify(execFile)(BINARY, ['prove', '--data-dir', learnt.dataDir, '--pairs', '15', '--quiet'])
  await page.getByRole('button', { name: '重试' }).click()
  await page.getByTestId('result').getByText(/^15 个合并的号牌中，/).waitFor()
  const table = page.getByRole('table', { name: '找到与误报' })
  for (const row of ['嫌疑车辆，概率 ≥ 90%', '短时异地规则', '直线车速规则']) await table.getByText(row).waitFor()
  expect(await page.getByRole('table', { name: '概率是否可信' }).getByRole('row').count()).toBe(11)
  expect(await page.getByRole('region', { name: '概率是否可信' }).locator('circle').count()).toBeGreaterThan(0)
})

test('axe finds nothing serious, in both languages and on a phone', async ({ open }) => {
  for (const [language, width] of [['zh', 1920], ['en', 1280], ['zh', 390]] as const) {
    const page = await open('/prove', { url: learnt.url, language, viewport: { width, height: 844 } })
    await page.getByTestId('result').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
  }
})

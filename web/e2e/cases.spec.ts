import { expect, inject } from 'vitest'

import { seriousViolations, test } from './browser'
import { until } from './server'

interface Case {
  id: string
  hphm: string
  status: string
}

async function cases(query: string): Promise<Case[]> {
  const answer = (await (await fetch(`${inject('url')}/api/cases?${query}`)).json()) as { data: { records: Case[] } }
  return answer.data.records
}

/** A case that nobody works on. The demo's clones contradict themselves within its first minutes. */
async function aCase(): Promise<Case> {
  let found: Case | undefined
  await until('the demo has a case', async () => {
    found = (await cases('status=new&limit=1'))[0]
    return found !== undefined
  }, 100_000)
  if (!found) throw new Error('no case')
  return found
}

test('a plate that no case has is said to have none, and the filter is in the address', async ({ open }) => {
  const page = await open('/cases')
  await page.getByRole('textbox', { name: '号牌' }).fill('没有这样的号牌')
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.searchParams.get('hphm') === '没有这样的号牌')
  await page.getByText('没有符合条件的嫌疑车辆').waitFor()
})

test('a wrong filter shows what the server says', async ({ open }) => {
  const page = await open('/cases?probability=often', { expectsErrors: true })
  await page.getByRole('alert').getByText(/probability 应为 0 至 1 的数/).waitFor()
})

test('a case shows why, both cars, and takes work with a reason', async ({ open }) => {
  const { id, hphm } = await aCase()
  const page = await open(`/cases?hphm=${encodeURIComponent(hphm)}`)
  await page.getByRole('link', { name: `查看嫌疑车辆 ${hphm}` }).first().click()
  await page.waitForURL(/\/cases\/[0-9a-f]{16}\?/)
  await page.goto(`/cases/${id}`)
  await page.getByTestId('why').getByText(/次矛盾/).waitFor()
  expect(await page.getByTestId('car').count()).toBe(2)
  await page.getByRole('region', { name: '近一天时间线' }).locator('svg .mark').first().waitFor()
  const history = page.getByRole('region', { name: '研判记录' })
  await page.getByLabel('处理人').fill('王警官')
  await page.getByRole('combobox', { name: /^依据/ }).selectOption('photos')
  await page.getByLabel('备注').fill('两处图像不是同一辆车')
  await page.getByRole('button', { name: '开始研判' }).click()
  await history.getByText('两处图像不是同一辆车').waitFor()
  await history.getByText('图像比对').waitFor()
  expect((await cases('status=investigating&limit=100')).map((found) => found.id)).toContain(id)
})

test('axe finds nothing serious, in both languages', async ({ open }) => {
  const [found] = await cases('limit=1')
  for (const language of ['zh', 'en'] as const) {
    const page = await open(found ? `/cases/${found.id}` : '/cases', { language })
    await page.locator('.panel').first().waitFor()
    if (found) await page.getByTestId('why').waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

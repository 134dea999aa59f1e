import { afterAll, beforeAll, expect } from 'vitest'

import { appliance, passage } from './appliance'
import { seriousViolations, test } from './browser'
import { until } from './server'
import { BAD, EXPORT_LIMIT, troubled } from './troubled'

let trouble: Awaited<ReturnType<typeof troubled>>
beforeAll(async () => {
  trouble = await troubled()
})
afterAll(() => trouble.remove())

test('an appliance that is well says so', async ({ open }) => {
  const minutes = [0, 1, 2, 3].map((minute) => passage(`G3203000000000000${minute}`, 'G3_Sulu', `2024-01-01 08:0${minute}:00`, `苏C1234${minute}`))
  const own = await appliance(minutes)
  try {
    const page = await open('/system', { url: own.url })
    await page.getByText('运行正常').waitFor()
  } finally {
    await own.remove()
  }
})

test('of the demo only what its cameras do is noted, and its road lives', async ({ open }) => {
  const page = await open('/system')
  const faults = page.getByRole('region', { name: '运行状况' }).getByRole('listitem')
  await faults.first().waitFor()
  for (const text of await faults.allInnerTexts()) expect(text).toMatch(/^注意\s[^]*(迟到|超前|时钟|设备|卡口)/)
  const road = page.getByRole('group', { name: /数据从来源/ })
  for (const station of ['来源', '解析', '分片', '比对', '落库', '接口与页面']) await road.getByText(station).first().waitFor()
  const value = road.locator('.value').last()
  const before = await value.innerText()
  await until('the rate moves', async () => (await value.innerText()) !== before)
  await page.getByText('未配置镜像').first().waitFor()
  await page.getByText('没有拒收的行').waitFor()
})

test('mirrors that are away stand on top, on the road and in their panel, each with what to do', async ({ open }) => {
  const page = await open('/system', { url: trouble.url })
  const faults = page.getByRole('region', { name: '运行状况' })
  for (const name of ['mysql/0', 'mysql/1', 'redis']) {
    const fault = faults.getByRole('listitem').filter({ hasText: `镜像 ${name} 自` })
    await fault.getByText('不可达').first().waitFor()
    await fault.getByText('处理办法').first().waitFor()
  }
  const [first] = await faults.getByRole('listitem').allInnerTexts()
  expect(first).toContain('故障')
  await page.getByRole('region', { name: '镜像' }).getByText(/连接被拒绝，对端可能没有运行（.*Connection refused/).first().waitFor()
  await page.getByRole('group', { name: /数据从来源/ }).getByText(/不可达/).first().waitFor()
})

test('rejects show reasons with counts, what to do, and samples in which nothing acts', async ({ open }) => {
  const page = await open('/system', { url: trouble.url })
  const rejects = page.getByRole('region', { name: '拒收' })
  const total = Object.values(BAD).reduce((sum, count) => sum + count, 0)
  await rejects.getByRole('button', { name: `全部原因 ${total}`, pressed: true }).waitFor()
  expect(await rejects.getByRole('listitem').count()).toBe(total)
  await rejects.getByText('<img src=x onerror=alert(1)>').waitFor()
  await rejects.getByRole('button', { name: `过车时间无效 ${BAD.invalid_gcsj}` }).click()
  await rejects.getByText('GCSJ 不是真实的日期时间').waitFor()
  await until('only those', async () => (await rejects.getByRole('listitem').count()) === BAD.invalid_gcsj)
})

test('what the server says is in the language of the page', async ({ open }) => {
  const page = await open('/system', { url: trouble.url, language: 'en' })
  await page.getByRole('region', { name: 'Mirrors' }).getByText(/Connection refused; the server may not be running/).first().waitFor()
  await page.getByRole('region', { name: 'Intake' }).getByText(/^Capture .*, in order of arrival$/).waitFor()
  const other = await open('/system', { url: trouble.url })
  await other.getByRole('region', { name: '接入' }).getByText(/^采集文件 .*，按到达顺序$/).waitFor()
})

test('a station of the road leads to its panel', async ({ open }) => {
  const page = await open('/system', { url: trouble.url, viewport: { width: 1280, height: 720 } })
  await page.getByRole('link', { name: /^redis / }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.hash === '#mirrors')
  await until('the panel is in sight', () =>
    page.getByRole('region', { name: '镜像' }).evaluate((panel) => panel.getBoundingClientRect().top < window.innerHeight - 50),
  )
})

test('an export over the limit is refused in words, with both numbers', async ({ open }) => {
  const page = await open('/query', { url: trouble.url, expectsErrors: true })
  await page.getByText('共 400 条').waitFor()
  await page.getByRole('button', { name: '导出 CSV' }).click()
  await page.getByRole('button', { name: '开始导出' }).click()
  await page.getByText(`符合条件的有 400 条，单个文件最多 ${EXPORT_LIMIT} 条`).waitFor()
})

test('it is fit for everyone, well or not, in both languages', async ({ open }) => {
  for (const language of ['zh', 'en'] as const) {
    for (const url of [undefined, trouble.url]) {
      const page = await open('/system', { language, ...(url ? { url } : {}) })
      await page.locator('#storage dl').waitFor()
      expect(await seriousViolations(page)).toEqual([])
    }
  }
})

/** The purpose that is asked for before plates are shown, and the audit log that keeps it. */
import { readFile } from 'node:fs/promises'

import type { Page, Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'

import { type Appliance, appliance } from './appliance'
import { choose, seriousViolations, test } from './browser'
import { addUser, button, command, heading, newest, type Open, openAs as openOf } from './people'
import { CLONED, road } from './road'
import { until } from './server'

let watched: Appliance
let aCase: string

beforeAll(async () => {
  watched = await appliance(road(), '[audit]\npurpose = "required"')
  aCase = `/cases/${await newest(watched, '/api/cases')}`
  await addUser(watched, 'wang', '--role', 'operator', '--shown', '王警官')
  await addUser(watched, 'shen', '--role', 'auditor')
  await addUser(watched, 'li', '--role', 'viewer')
  await until('a login is needed', async () => (await fetch(`${watched.url}/api/cases`)).status === 401)
}, 120_000)
afterAll(() => watched.remove())

const openAs = (open: Open, name: string, path: string, options = {}) => openOf(open, watched, name, path, options)
const question = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true })
const rows = (page: Page) => page.getByTestId('audit').locator('.row')

async function answer(page: Page, name: string, reason: string, words = '') {
  await question(page, name).getByRole('radio', { name: reason }).check()
  await question(page, name).getByLabel('说明').fill(words)
  await page.keyboard.press('Enter')
  await question(page, name).waitFor({ state: 'detached' })
}

describe('the purpose', () => {
  test('is asked for once per session, goes with each request, and is asked for again after the next login', async ({ open }) => {
    const page = await openAs(open, 'wang', '/query')
    await question(page, '查询事由').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('请选择事由').waitFor()
    const sent: Request[] = []
    page.on('request', (request) => sent.push(request))
    await answer(page, '查询事由', '案件侦办', '2026-17 号案')
    await page.getByRole('main').getByText(/苏C\d{5}/).first().waitFor()
    await page.goto(`/track/${CLONED}`)
    await page.getByRole('main').getByText(CLONED).first().waitFor()
    const purposes = sent.filter((request) => /\/api\/(query|track)/.test(request.url())).map((request) => request.headers()['x-purpose'])
    expect([...new Set(purposes)]).toEqual([`case;${encodeURIComponent('2026-17 号案')}`])
    expect(await question(page, '查询事由').count()).toBe(0)

    await button(page, '退出').click()
    await heading(page, '登录').waitFor()
    await page.goto('/query')
    await page.getByLabel('用户名', { exact: true }).fill('wang')
    await page.getByLabel('密码', { exact: true }).fill('gravel otter 4471')
    await page.keyboard.press('Enter')
    await question(page, '查询事由').waitFor()
  })

  test('is one for each case; who cancels sees no plate, and can answer later', async ({ open }) => {
    const page = await openAs(open, 'wang', aCase)
    await question(page, '本案查询事由').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('尚未填写查询事由').waitFor()
    expect(await page.getByTestId('why').count()).toBe(0)
    await page.getByRole('main').getByRole('button', { name: '填写事由' }).click()
    await answer(page, '本案查询事由', '核查预警')
    await page.getByTestId('why').waitFor()
    await page.getByRole('button', { name: /核查预警/ }).waitFor()
    await page.reload()
    await page.getByTestId('why').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('goes with an export', async ({ open }) => {
    const page = await openAs(open, 'wang', '/query')
    await answer(page, '查询事由', '其他', '年度抽查')
    await page.getByRole('main').getByText(/苏C\d{5}/).first().waitFor()
    await page.getByRole('button', { name: /^导出/ }).first().click()
    const [request] = await Promise.all([
      page.waitForRequest(/\/api\/query\/export/),
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: '开始导出' }).click(),
    ])
    expect(request.headers()['x-purpose']).toBe(`other;${encodeURIComponent('年度抽查')}`)
  })

  test('is nothing for who sees no plates', async ({ open }) => {
    const page = await openAs(open, 'li', '/cases')
    await page.getByTestId('cases').getByText(/苏C•••\d\d/).first().waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await page.getByRole('button', { name: '填写事由' }).count()).toBe(0)
  })
})

describe('the audit log', () => {
  test('says who looked at what and why', async ({ open }) => {
    const desk = await openAs(open, 'wang', `/track/${CLONED}`)
    await answer(desk, '查询事由', '巡逻布控', '三号卡点')
    await desk.getByRole('main').getByText(CLONED).first().waitFor()

    const page = await openAs(open, 'shen', '/audit')
    const track = rows(page).filter({ hasText: '查询轨迹' }).filter({ hasText: CLONED }).filter({ hasText: '三号卡点' }).first()
    await track.waitFor()
    for (const text of ['王警官', '巡逻布控', '127.0.0.1']) expect(await track.innerText()).toContain(text)
    await track.getByRole('button').press('Enter')
    const entry = page.getByTestId('entry')
    for (const text of ['王警官 · wang', '巡逻布控 · 三号卡点', CLONED]) expect(await entry.innerText()).toContain(text)
    expect(await seriousViolations(page)).toEqual([])
  })

  test('filters by user, action and plate, in the address', async ({ open }) => {
    const page = await openAs(open, 'shen', '/audit')
    await rows(page).first().waitFor()
    await page.getByRole('textbox', { name: '用户名' }).fill('wang')
    await page.keyboard.press('Enter')
    await page.waitForURL(/user=wang/)
    await choose(page, '操作类型', '查询轨迹')
    await page.waitForURL(/action=track/)
    await page.getByRole('textbox', { name: '号牌' }).fill(CLONED)
    await page.keyboard.press('Enter')
    await page.waitForURL(/hphm=/)
    await until('only tracks of this plate', async () => {
      const texts = await rows(page).allInnerTexts()
      return texts.length > 0 && texts.every((text) => text.includes('查询轨迹') && text.includes(CLONED))
    })
    await page.reload()
    await rows(page).first().waitFor()
    expect((await rows(page).allInnerTexts()).every((text) => text.includes(CLONED))).toBe(true)
    await button(page, '清空').click()
    await rows(page).filter({ hasText: '查看审计日志' }).first().waitFor()
  })

  test('goes on to the first entry, and verifies its chain', async ({ open }) => {
    const page = await openAs(open, 'shen', '/audit')
    await rows(page).first().waitFor()
    await until('the first entry', async () => {
      if ((await page.getByText('已到最早的记录').count()) > 0) return true
      await button(page, '继续查找').click()
      return false
    })
    await button(page, '校验').click()
    const verdict = page.getByTestId('verdict')
    await verdict.getByText(/已校验 [\d,]+ 条，日志链完整/).waitFor()
    const head = await page.locator('code').first().innerText()
    expect(head).toMatch(/^[0-9a-f]{64}$/)
    expect(await command(watched, ['verify-audit'])).toContain('OK')
  })

  test('is saved as shown, without a formula', async ({ open }) => {
    const desk = await openAs(open, 'wang', `/track/${CLONED}`)
    await answer(desk, '查询事由', '其他', '=1+1')
    await desk.getByRole('main').getByText(CLONED).first().waitFor()
    const page = await openAs(open, 'shen', '/audit?user=wang&action=track')
    await rows(page).filter({ hasText: '=1+1' }).first().waitFor()
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, '导出 CSV').click()])
    const text = await readFile(await download.path(), 'utf8')
    expect(text.split('\r\n')).toHaveLength((await rows(page).count()) + 2)
    expect(text).toContain(",'=1+1,")
    expect(text).not.toContain(',=1+1')
  })

  test('is for auditors only', async ({ open }) => {
    const page = await openAs(open, 'wang', '/audit', { expectsErrors: true })
    await heading(page, '您的角色无权查看此页面').waitFor()
    expect(await page.evaluate(async () => (await fetch('/api/audit')).status)).toBe(403)
  })

  test('fits a phone, and axe finds nothing serious in both languages', async ({ open }) => {
    for (const [language, width] of [['zh', 1280], ['en', 1280], ['zh', 390], ['en', 390]] as const) {
      const page = await openAs(open, 'shen', '/audit', { language, viewport: { width, height: 844 } })
      await rows(page).first().getByRole('button').click()
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
    }
  })
})

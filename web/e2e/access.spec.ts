/** Login, roles and the account page, with users that the command line makes while the program runs. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'

import { type Appliance, appliance, passage } from './appliance'
import { type Opening, seriousViolations, test } from './browser'
import * as people from './people'
import { button, changePassword, enter, heading, logIn, type Open, PASSWORD } from './people'
import { CLONED, road } from './road'
import { until } from './server'

const ANOTHER = 'lantern 8250 quarry'
const ROLES = ['viewer', 'operator', 'supervisor', 'auditor', 'admin'] as const
const PAGES = ['大屏', '查询', '嫌疑车辆', '预警', '轨迹', '路段', '预测', '设备', '检测验证', '系统']
const WITHOUT_PLATES = PAGES.filter((name) => !['查询', '轨迹'].includes(name))
const NOT_PERMITTED = '您的角色无权查看此页面'
/** A plate of this road that is not masked. */
const PLATE = /苏C\d{5}/

let watched: Appliance
/** Addresses of one case and one alert, as who may see plates knows them. */
let records: { case: string; alert: string }

/** Runs `platewatch user …` on the data directory; what it prints. */
const users = (args: readonly string[]) => people.command(watched, ['user', ...args])
const addUser = (name: string, ...more: string[]) => people.addUser(watched, name, ...more)

beforeAll(async () => {
  watched = await appliance(road())
  records = { case: `/cases/${await people.newest(watched, '/api/cases')}`, alert: `/warnings/${await people.newest(watched, '/api/warnings')}` }
  for (const role of ROLES) await addUser(role, '--role', role, ...(role === 'operator' ? ['--shown', '王警官'] : []))
  for (const name of ['anna', 'bernd']) await addUser(name, '--role', 'viewer')
  await until('a login is needed', async () => (await fetch(`${watched.url}/api/cases`)).status === 401)
}, 120_000)
afterAll(() => watched.remove())

const links = (page: Page) => page.getByRole('navigation').getByRole('link')
/** What a request of this page is answered with. */
const status = (page: Page, path: string) => page.evaluate(async (url) => (await fetch(url)).status, path)

const openAs = (open: Open, name: string, path: string, options: Opening = {}) => people.openAs(open, watched, name, path, options)

describe('the login', () => {
  test('stands in the place of the page, says what is wrong, and leads to what was asked for', async ({ open }) => {
    const path = '/cases?status=new'
    const page = await open(path, { url: watched.url, expectsErrors: true })
    await heading(page, '登录').waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    expect(await status(page, '/api/cases')).toBe(401)
    await enter(page, 'supervisor', 'not this one')
    await page.getByRole('alert').getByText('用户名或密码不正确').waitFor()
    expect(page.url()).toBe(watched.url + path)
    await logIn(page, 'supervisor')
    await page.getByRole('link', { name: `查看嫌疑车辆 ${CLONED}` }).waitFor()
    expect(page.url()).toBe(watched.url + path)
    await page.reload()
    await page.getByRole('link', { name: `查看嫌疑车辆 ${CLONED}` }).waitFor()

    await button(page, '退出').click()
    await heading(page, '登录').waitFor()
    expect(await page.content()).not.toMatch(PLATE)
    expect(page.url()).toBe(watched.url + path)
    expect(await status(page, '/api/cases')).toBe(401)
    await page.reload()
    await heading(page, '登录').waitFor()
  })

  test('comes back within seconds for a user who is disabled', async ({ open }) => {
    const page = await openAs(open, 'bernd', '/', { expectsErrors: true })
    await page.getByTestId('headline').first().waitFor()
    await users(['disable', 'bernd'])
    await page.getByText('登录已失效，请重新登录').waitFor({ timeout: 15_000 })
    await enter(page, 'bernd', PASSWORD)
    await page.getByRole('alert').getByText('用户名或密码不正确').waitFor()
  })

  test('asks for a new password first, where somebody else chose it', async ({ open }) => {
    const [, made = ''] = /password: (\S+)/.exec(await users(['add', 'clara', '--role', 'operator', '--generate'])) ?? []
    const page = await open('/cases', { url: watched.url, expectsErrors: true })
    await until('the program knows the new user', async () => {
      await enter(page, 'clara', made)
      await heading(page, '设置新密码').waitFor({ timeout: 2_000 })
      return true
    })
    expect(await status(page, '/api/cases')).toBe(403)
    expect(await seriousViolations(page)).toEqual([])
    await changePassword(page, made, 'password1234')
    await page.getByRole('alert').getByText(/新密码太(弱|常见)/).waitFor()
    await changePassword(page, made, ANOTHER)
    await page.getByRole('link', { name: `查看嫌疑车辆 ${CLONED}` }).waitFor()
    expect(page.url()).toBe(`${watched.url}/cases`)
  })
})

describe('a role', () => {
  test.for([
    ['viewer', WITHOUT_PLATES],
    ['operator', PAGES],
    ['supervisor', PAGES],
    ['admin', [...WITHOUT_PLATES, '用户']],
    ['auditor', ['审计']],
  ] as const)('%s is offered the pages that it may see, and no other by its address', async ([role, pages], { open }) => {
    const page = await openAs(open, role, '/')
    if (role !== 'auditor') await page.getByTestId('headline').first().waitFor()
    else await page.waitForURL('**/audit')
    expect(await links(page).allInnerTexts()).toEqual(pages)
    for (const path of ['/query', `/track/${CLONED}`, records.case, records.alert]) {
      await page.goto(path)
      if (pages === PAGES) {
        await page.getByRole('main').getByText(PLATE).first().waitFor()
      } else {
        await heading(page, NOT_PERMITTED).waitFor()
        expect(await page.content()).not.toMatch(PLATE)
      }
    }
    await page.goto('/account')
    await heading(page, '已登录的设备').waitFor()
  })

  test('without plates gets masked ones, on the wall and in lists, and nothing else from the server', async ({ open }) => {
    const page = await open('/', { url: watched.url })
    const told: Promise<string>[] = []
    page.on('response', (response) => {
      if (/\/api\/(?!warnings\/stream)/.test(response.url())) told.push(response.text().catch(() => ''))
    })
    await logIn(page, 'viewer')
    const masked = `${CLONED.slice(0, 2)}•••${CLONED.slice(-2)}`
    for (const [path, list] of [['/', 'suspects'], ['/', 'ticker'], ['/cases', 'cases'], ['/warnings', 'alerts']] as const) {
      if (new URL(page.url()).pathname !== path) await page.goto(path)
      await page.getByTestId(list).getByText(/苏C•••\d\d/).first().waitFor()
      expect(await page.content()).not.toMatch(PLATE)
      // There is nothing to open, and no plate to filter by.
      expect(await page.getByTestId(list).getByRole('link').count()).toBe(0)
      expect(await page.getByRole('textbox', { name: '号牌' }).count()).toBe(0)
    }
    await page.goto('/cases')
    await page.getByTestId('cases').getByText(masked).waitFor()
    expect(await page.content()).not.toContain(records.case)
    const answers = await Promise.all(told)
    expect(answers.length).toBeGreaterThan(10)
    expect(answers.flatMap((answer) => PLATE.exec(answer)?.[0] ?? [])).toEqual([])
  })

  test('names the user in the work on a case, and nobody types a name', async ({ open }) => {
    const page = await openAs(open, 'operator', records.case)
    const history = page.getByRole('region', { name: '研判记录' })
    await page.getByLabel('备注').fill('两处图像不是同一辆车')
    expect(await page.getByLabel('处理人').count()).toBe(0)
    await button(page, '开始研判').click()
    await history.getByText('两处图像不是同一辆车').waitFor()
    await history.getByText('王警官', { exact: true }).waitFor()
    const other = await openAs(open, 'supervisor', records.case)
    await other.getByRole('region', { name: '研判记录' }).getByText('王警官', { exact: true }).waitFor()
  })
})

describe('the account page', () => {
  const rows = (page: Page) => page.getByRole('region', { name: '已登录的设备' }).last().locator('tbody tr')

  test('lists the sessions, ends one, and a new password ends all others', async ({ open }) => {
    const [page, other, third] = await Promise.all([
      openAs(open, 'anna', '/account', { expectsErrors: true }),
      openAs(open, 'anna', '/cases', { expectsErrors: true }),
      openAs(open, 'anna', '/', { expectsErrors: true }),
    ])
    await page.reload()
    await until('three sessions', async () => (await rows(page).count()) === 3)
    expect(await rows(page).getByText('本设备').count()).toBe(1)
    await rows(page).getByRole('button').first().click()
    await page.getByText('该设备的登录已退出').waitFor()
    await until('two sessions', async () => (await rows(page).count()) === 2)
    const ended = await Promise.any([other, third].map(async (one) => {
      await one.getByText('登录已失效，请重新登录').waitFor()
      return one
    }))

    await changePassword(page, 'not this one', ANOTHER)
    await page.getByRole('alert').getByText('原密码不正确').waitFor()
    await changePassword(page, PASSWORD, ANOTHER)
    await page.getByText('密码已修改，其他设备上的登录已退出').waitFor()
    const left = ended === other ? third : other
    await left.getByText('登录已失效，请重新登录').waitFor()
    await until('one session', async () => (await rows(page).count()) === 1)
    await enter(left, 'anna', PASSWORD)
    await left.getByRole('alert').getByText('用户名或密码不正确').waitFor()
    await logIn(left, 'anna', ANOTHER)
  })
})

test('axe finds nothing serious on the login and the account page, in both languages and on a phone', async ({ open }) => {
  for (const [language, width] of [['zh', 1920], ['en', 1280], ['zh', 390], ['en', 390]] as const) {
    const page = await open('/account', { url: watched.url, language, viewport: { width, height: 844 } })
    await page.getByRole('textbox').first().waitFor()
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)
    expect(await fits()).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
    await logIn(page, 'operator')
    await page.locator('tbody tr').first().waitFor()
    expect(await fits()).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
  }
})

describe('where others reach the program and nobody logs in', () => {
  let exposed: Appliance
  beforeAll(async () => {
    const lines = [passage('P1', 'G3_Sulu', '2023-12-09 09:00:00', '苏C12345'), passage('P2', 'S250_Pizhou_Sulu', '2023-12-09 09:01:00', '苏C12345')]
    exposed = await appliance(lines, '', 'open = true', '0.0.0.0')
  })
  afterAll(() => exposed.remove())

  test('every page says so in red, and the wall still fits', async ({ open }) => {
    for (const language of ['zh', 'en'] as const) {
      const page = await open('/', { url: exposed.url, language })
      const bar = page.getByRole('alert').filter({ hasText: 'platewatch user add' })
      await bar.waitFor()
      await page.getByTestId('headline').first().waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight)).toBe(true)
      expect(await seriousViolations(page)).toEqual([])
      await page.goto('/query')
      await bar.waitFor()
      await page.goto('/account')
      await bar.waitFor()
    }
  })
})

/** Users and tokens on the page of the administrator. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'

import { type Appliance, appliance } from './appliance'
import { seriousViolations, test } from './browser'
import { addUser, button, changePassword, enter, heading, logIn, type Open, openAs as openOf, PASSWORD } from './people'
import { road } from './road'
import { until } from './server'

const OWN = 'lantern 8250 quarry'

let watched: Appliance

beforeAll(async () => {
  watched = await appliance(road())
  await addUser(watched, 'boss', '--role', 'admin')
  await addUser(watched, 'wang', '--role', 'operator', '--shown', '王警官')
  await until('a login is needed', async () => (await fetch(`${watched.url}/api/cases`)).status === 401)
}, 120_000)
afterAll(() => watched.remove())

const openAs = (open: Open, name: string, path: string, options = {}) => openOf(open, watched, name, path, options)
const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text })
const dialog = (page: Page) => page.getByRole('dialog')

/** The password or secret of the dialog that shows it; closes it. */
async function shownOnce(page: Page): Promise<string> {
  await dialog(page).getByText('只显示这一次').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  const secret = await dialog(page).getByRole('textbox').inputValue()
  await button(page, '已保存，关闭').click()
  await dialog(page).waitFor({ state: 'detached' })
  expect(await page.content()).not.toContain(secret)
  return secret
}

async function add(page: Page, name: string, ...roles: string[]): Promise<string> {
  await button(page, '添加用户').click()
  await dialog(page).getByLabel('用户名').fill(name)
  for (const role of roles) await dialog(page).getByRole('checkbox', { name: new RegExp(`^${role}`) }).check()
  await page.keyboard.press('Enter')
  return shownOnce(page)
}

describe('a user', () => {
  test('is added, logs in and chooses a password of their own', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users')
    const made = await add(page, 'clara', '值班', '审计')
    await row(page, 'clara').getByText('须改密码').waitFor()
    const other = await open('/audit', { url: watched.url, expectsErrors: true })
    await enter(other, 'clara', made)
    await heading(other, '设置新密码').waitFor()
    await changePassword(other, made, OWN)
    await other.getByTestId('audit').waitFor()
    await page.reload()
    await row(page, 'clara').getByText('值班、审计').waitFor()
    expect(await row(page, 'clara').getByText('须改密码').count()).toBe(0)
  })

  test('that exists is refused in words', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users', { expectsErrors: true })
    await button(page, '添加用户').click()
    await dialog(page).getByLabel('用户名').fill('wang')
    await dialog(page).getByRole('checkbox', { name: /^浏览/ }).check()
    await page.keyboard.press('Enter')
    await dialog(page).getByRole('alert').getByText('用户 wang 已存在').waitFor()
    await page.keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('添加用户')
  })

  test('gets other roles, which hold at once', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users')
    const made = await add(page, 'dora', '浏览')
    await page.getByRole('button', { name: '编辑用户 dora' }).click()
    await dialog(page).getByLabel('显示名').fill('多拉')
    await dialog(page).getByRole('checkbox', { name: /^系统管理员/ }).check()
    await button(page, '保存').click()
    await page.getByRole('status').getByText('已保存：多拉').waitFor()
    const other = await open('/users', { url: watched.url, expectsErrors: true })
    await enter(other, 'dora', made)
    await changePassword(other, made, OWN)
    await row(other, 'boss').waitFor()
  })

  test('is disabled after a question, whose session ends; enabled again; and gets another password', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users')
    const theirs = await openAs(open, 'wang', '/', { expectsErrors: true })
    await page.getByRole('button', { name: '停用用户 wang' }).click()
    await dialog(page).getByRole('button', { name: '停用' }).click()
    await row(page, 'wang').getByText('已停用').waitFor()
    await theirs.getByText('登录已失效，请重新登录').waitFor({ timeout: 15_000 })
    await page.getByRole('button', { name: '启用用户 wang' }).click()
    await page.getByRole('status').getByText('已启用：王警官').waitFor()
    await logIn(theirs, 'wang')

    await page.getByRole('button', { name: '重置用户 wang 的密码' }).click()
    await button(page, '生成新密码').click()
    const made = await shownOnce(page)
    await theirs.getByText('登录已失效，请重新登录').waitFor({ timeout: 15_000 })
    await enter(theirs, 'wang', PASSWORD)
    await theirs.getByRole('alert').getByText('用户名或密码不正确').waitFor()
    await enter(theirs, 'wang', made)
    await heading(theirs, '设置新密码').waitFor()
  })

  test('who is the last administrator stays one', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users', { expectsErrors: true })
    await row(page, 'boss').waitFor()
    // Whoever else became one meanwhile is disabled first.
    for (const name of (await page.getByRole('row').filter({ hasText: '系统管理员' }).locator('td:first-child').allInnerTexts()).map((text) => text.split(/\s/)[0] ?? '')) {
      const disable = page.getByRole('button', { name: `停用用户 ${name}` })
      if (name === 'boss' || (await disable.count()) === 0) continue
      await disable.click()
      await dialog(page).getByRole('button', { name: '停用' }).click()
      await dialog(page).waitFor({ state: 'detached' })
    }
    expect(await page.getByRole('button', { name: '停用用户 boss' }).count()).toBe(0)
    await page.getByRole('button', { name: '编辑用户 boss' }).click()
    await dialog(page).getByRole('checkbox', { name: /^系统管理员/ }).uncheck()
    await dialog(page).getByText('您将去掉自己的系统管理员角色').waitFor()
    await dialog(page).getByRole('checkbox', { name: /^浏览/ }).check()
    await button(page, '保存').click()
    await dialog(page).getByRole('alert').getByText('boss 是最后一个可登录的管理员').waitFor()
  })

  test('without the role sees nothing of it', async ({ open }) => {
    const page = await openAs(open, 'boss', '/users')
    const made = await add(page, 'emil', '主管')
    const other = await open('/users', { url: watched.url, expectsErrors: true })
    await enter(other, 'emil', made)
    await changePassword(other, made, OWN)
    await heading(other, '您的角色无权查看此页面').waitFor()
    expect(await other.evaluate(async () => (await fetch('/api/users')).status)).toBe(403)
  })
})

test('a token is issued with what its owner may, works, and is revoked after a question', async ({ open }) => {
  const page = await openAs(open, 'boss', '/users')
  await button(page, '签发令牌').click()
  await dialog(page).getByLabel('所属用户').selectOption('boss')
  // See counts, manage users, read metrics, send records.
  expect(await dialog(page).getByRole('checkbox').count()).toBe(4)
  await dialog(page).getByRole('checkbox', { name: '查看统计、地图与列表' }).check()
  await dialog(page).getByLabel('用途').fill('每晚报表')
  await page.keyboard.press('Enter')
  const secret = await shownOnce(page)
  expect(secret).toMatch(/^pw_/)
  const status = async (path: string) => (await fetch(watched.url + path, { headers: { authorization: `Bearer ${secret}` } })).status
  expect([await status('/api/overview'), await status('/api/users')]).toEqual([200, 403])
  await row(page, '每晚报表').getByRole('button').click()
  await dialog(page).getByRole('button', { name: '吊销' }).click()
  await page.getByText(/已吊销：/).waitFor()
  expect(await row(page, '每晚报表').count()).toBe(0)
  expect(await status('/api/overview')).toBe(401)
})

test('the page fits a phone, and axe finds nothing serious, in both languages and in its dialogs', async ({ open }) => {
  for (const [language, width, buttons] of [['zh', 1280, ['添加用户', '签发令牌']], ['en', 1280, ['Add user', 'Issue token']], ['zh', 390, ['添加用户']], ['en', 390, ['Issue token']]] as const) {
    const page = await openAs(open, 'boss', '/users', { language, viewport: { width, height: 844 } })
    await row(page, 'boss').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
    for (const name of buttons) {
      await button(page, name).click()
      expect(await seriousViolations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await dialog(page).waitFor({ state: 'detached' })
    }
  }
})

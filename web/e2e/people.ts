/** Users of an appliance: made by the command line, and logged in by the page. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

import type { Page } from 'playwright-core'

import type { Appliance } from './appliance'
import type { Opening } from './browser'
import { BINARY } from './server'

export const PASSWORD = 'gravel otter 4471'

/** Runs `platewatch` with `args` on the data directory; what it prints. */
export async function command({ dataDir }: Appliance, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(BINARY, [...args, '--data-dir', dataDir])
  child.stdin.end(input)
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), new Promise((done) => child.once('close', done))])
  if (code !== 0) throw new Error(`platewatch ${args.join(' ')}: ${error}${out}`)
  return out
}

export const addUser = (to: Appliance, name: string, ...more: string[]) => command(to, ['user', 'add', name, ...more], `${PASSWORD}\n`)

/** The id of the newest record below `path`, as who may see plates knows it. */
export async function newest({ url }: Appliance, path: string): Promise<string> {
  const answer = (await (await fetch(`${url}${path}?limit=1`)).json()) as { data: { records: { id: string }[] } }
  return answer.data.records[0]?.id ?? ''
}

export const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true })
export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

export async function enter(page: Page, name: string, password: string) {
  await page.getByLabel(/^(用户名|User name)$/).fill(name)
  await page.getByLabel(/^(密码|Password)$/).fill(password)
  await page.keyboard.press('Enter')
}

export async function logIn(page: Page, name: string, password = PASSWORD) {
  await enter(page, name, password)
  await page.getByRole('button', { name: /^(退出|Log out)$/ }).waitFor()
}

export async function changePassword(page: Page, old: string, next: string) {
  await page.getByLabel('原密码', { exact: true }).fill(old)
  await page.getByLabel('新密码', { exact: true }).fill(next)
  await page.getByLabel('再次输入新密码', { exact: true }).fill(next)
  await page.keyboard.press('Enter')
}

export type Open = (path: string, options?: Opening) => Promise<Page>

/** The page at `path`, by a browser in which `name` logs in. */
export async function openAs(open: Open, { url }: Appliance, name: string, path: string, options: Opening = {}) {
  const page = await open(path, { url, ...options })
  await logIn(page, name)
  return page
}

import { afterAll, beforeAll, expect } from 'vitest'

import { test } from './browser'
import { Live } from './live'
import { type Server, until } from './server'

let live: Live
let server: Server
beforeAll(async () => {
  live = await Live.with(12)
  server = live.server
})
afterAll(() => server.remove())

test('a page that is open sees the server go, says so, and recovers by itself', async ({ open }) => {
  const page = await open('/', { url: server.url, serverGoesAway: true })
  const headline = page.getByTestId('headline').first()
  const passages = async () => Number((await headline.innerText()).replaceAll(',', ''))
  await until('a first number', async () => (await passages()) > 0)
  await page.getByText('实时', { exact: true }).waitFor()
  const before = await passages()

  await server.stop()
  await page.getByText(/已与服务器失去连接/).waitFor({ timeout: 30_000 })
  // What was there stays in sight.
  expect(await passages()).toBe(before)
  await page.getByText('重连中').waitFor({ timeout: 30_000 })

  await server.start()
  await page.getByText(/已与服务器失去连接/).waitFor({ state: 'detached', timeout: 60_000 })
  await page.getByText('实时', { exact: true }).waitFor({ timeout: 60_000 })
  const newest = page.getByTestId('ticker').locator('[data-seq]').first()
  const seq = Number(await newest.getAttribute('data-seq'))
  await live.raise()
  await until('alerts come in again', async () => Number(await newest.getAttribute('data-seq')) === seq + 1)
  await until('numbers move again', async () => (await passages()) === before + 2)
})

test('a page that is opened while the server is away comes as soon as it is back', async ({ open }) => {
  const page = await open('/', { url: server.url, serverGoesAway: true })
  await page.getByTestId('headline').first().waitFor()
  await server.stop()
  await page.getByRole('link', { name: '预警', exact: true }).click()
  await server.start()
  await page.getByTestId('alerts').locator('tbody tr').first().waitFor({ timeout: 60_000 })
})

test('charts whose program or style did not arrive come as soon as they can', async ({ open }) => {
  const page = await open('/query', { url: server.url, serverGoesAway: true })
  for (const kind of ['css', 'js']) {
    const file = `**/BaseChart-*.${kind}`
    await page.route(file, (route) => route.abort())
    const asks = page.waitForRequest('**/healthz', { timeout: 60_000 })
    await page.goto('/')
    await asks
    await page.unroute(file)
    await page.locator('.chart canvas').first().waitFor({ timeout: 60_000 })
  }
})

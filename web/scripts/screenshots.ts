/**
 * Pictures of every page in both languages at 1920×1080: `npm run screenshots -- --out FOLDER`. Starts the real program,
 * or takes the one at `--url`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { browser } from '../e2e/browserProcess'
import { Server, until } from '../e2e/server'
import { option } from './options'

const out = option('out', 'screenshots')
const [width, height] = option('size', '1920x1080').split('x').map(Number)
const only = option('only', '')

interface Alert {
  id: string
  hphm: string
}

const running = option('url', '')
const server = running ? null : await Server.demo(50)
const url = running || (server?.url ?? '')
const chromium = await browser()
try {
  await mkdir(out, { recursive: true })
  const answer = (await (await fetch(`${url}/api/warnings?severity=high&limit=1`)).json()) as { data: { records: Alert[] } }
  const alert = answer.data.records[0]
  if (!alert) throw new Error('there is no alert to show')
  const pages: Record<string, string> = {
    screen: '/',
    query: '/query?hphm=%E8%8B%8FC*',
    warnings: '/warnings',
    warning: `/warnings/${alert.id}?severity=high`,
    track: `/track/${encodeURIComponent(alert.hphm)}`,
    roads: '/roads',
    predict: '/predict',
    system: '/system',
  }
  for (const language of ['zh', 'en']) {
    const context = await chromium.newContext({ viewport: { width: width ?? 1920, height: height ?? 1080 }, locale: 'zh-CN' })
    await context.addInitScript((locale) => localStorage.setItem('platewatch.locale', locale), language)
    for (const [name, path] of Object.entries(pages)) {
      if (only && only !== name) continue
      const page = await context.newPage()
      await page.goto(url + path)
      await until('all panels have loaded', async () => (await page.locator('[aria-busy=true]').count()) === 0, 60_000)
      // On the wall screen an alert that matters comes in; elsewhere animations come to rest.
      if (name === 'screen') await page.locator('.pulse.high').first().waitFor({ state: 'attached', timeout: 300_000 })
      await page.waitForTimeout(name === 'screen' ? 900 : 2_000)
      const file = join(out, `${name}-${language}.png`)
      await page.screenshot({ path: file })
      console.log(file)
      await page.close()
    }
    await context.close()
  }
} finally {
  await chromium.close()
  await server?.remove()
}

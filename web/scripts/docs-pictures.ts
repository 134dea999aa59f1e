/**
 * The pictures of the documentation, in both languages, as WebP: `npm run docs-pictures -- --url http://127.0.0.1:5000`, with a
 * demo there that has run for a while. They go to docs/book/{zh,en}/src/images.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { browser } from '../e2e/browserProcess'
import { until } from '../e2e/server'
import { option } from './options'

const url = option('url', 'http://127.0.0.1:5000')
const only = option('only', '')
const BOOKS = join(import.meta.dirname, '../../docs/book')
/** Of WebP: letters stay sharp, and a picture stays under 150 KB. */
const QUALITY = 62

interface Listed {
  data: { records: { id: string; hphm: string }[] }
}
const first = async (path: string) => ((await (await fetch(url + path)).json()) as Listed).data.records[0]
const [suspect, alert] = await Promise.all([first('/api/cases?probability=0.9&limit=1'), first('/api/warnings?severity=high&limit=1')])
if (!suspect || !alert) throw new Error('there is no case and no alert to show yet')
const pages: Record<string, string> = {
  screen: '/',
  case: `/cases/${suspect.id}`,
  warning: `/warnings/${alert.id}`,
  track: `/track/${encodeURIComponent(suspect.hphm)}`,
  query: '/query?hphm=%E8%8B%8FC*',
  roads: '/roads',
  predict: '/predict',
  cameras: '/cameras',
  system: '/system',
}
const chromium = await browser()
try {
  for (const language of ['zh', 'en']) {
    const folder = join(BOOKS, language, 'src/images')
    await mkdir(folder, { recursive: true })
    const context = await chromium.newContext({ viewport: { width: 1440, height: 810 }, locale: 'zh-CN' })
    await context.addInitScript((locale) => localStorage.setItem('platewatch.locale', locale), language)
    for (const [name, path] of Object.entries(pages)) {
      if (only && only !== name) continue
      const page = await context.newPage()
      await page.goto(url + path)
      await until('all panels have loaded', async () => (await page.locator('[aria-busy=true]').count()) === 0, 120_000)
      // Animations come to rest.
      await page.waitForTimeout(2_500)
      const devtools = await context.newCDPSession(page)
      const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY })
      await writeFile(join(folder, `${name}.webp`), Buffer.from(data, 'base64'))
      console.log(language, name, Math.round((data.length * 3) / 4 / 1024), 'KiB')
      await page.close()
    }
    await context.close()
  }
} finally {
  await chromium.close()
}

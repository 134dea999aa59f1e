/**
 * What the wall screen costs at its first load, and how soon it shows a number: `npm run first-load`. Starts the real
 * program and opens the page several times, each with an empty cache. Fails above 600 KB compressed, or above a second.
 */
import { browser } from '../e2e/browserProcess'
import { Server } from '../e2e/server'
import { option } from './options'

const LIMIT_BYTES = 600_000
const LIMIT_MS = Number(option('limit-ms', '1000'))
const RUNS = Number(option('runs', '7'))

interface Load {
  bytes: number
  answers: number
  firstNumberMs: number
}

const running = option('url', '')
const server = running ? null : await Server.demo(50)
const url = running || (server?.url ?? '')
const chromium = await browser()
const loads: Load[] = []
try {
  for (let run = 0; run < RUNS; run += 1) {
    const context = await chromium.newContext({ viewport: { width: 1920, height: 1080 } })
    const page = await context.newPage()
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        const number = document.querySelector('[data-testid=headline]')
        if (!/\d/.test(number?.textContent ?? '')) return
        observer.disconnect()
        performance.mark('first-number')
      }).observe(document, { subtree: true, childList: true, characterData: true })
    })
    await page.goto(url)
    await page.locator('canvas').nth(1).waitFor()
    await page.waitForTimeout(1500)
    loads.push(
      await page.evaluate(() => {
        const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')] as PerformanceResourceTiming[]
        const sum = (own: PerformanceResourceTiming[]) => own.reduce((total, { transferSize }) => total + transferSize, 0)
        return {
          bytes: sum(entries.filter(({ name }) => !name.includes('/api/'))),
          answers: sum(entries.filter(({ name }) => name.includes('/api/'))),
          firstNumberMs: performance.getEntriesByName('first-number')[0]?.startTime ?? Infinity,
        }
      }),
    )
    await context.close()
  }
} finally {
  await chromium.close()
  await server?.remove()
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const bytes = Math.max(...loads.map((load) => load.bytes))
const ms = median(loads.map(({ firstNumberMs }) => firstNumberMs))
console.log(`first load of the wall screen: ${(bytes / 1000).toFixed(0)} KB compressed (limit ${LIMIT_BYTES / 1000} KB), and ${(median(loads.map(({ answers }) => answers)) / 1000).toFixed(0)} KB of answers`)
console.log(`time to the first number: median ${ms.toFixed(0)} ms of ${loads.map(({ firstNumberMs }) => firstNumberMs.toFixed(0)).join(', ')} (limit ${LIMIT_MS} ms)`)
if (bytes > LIMIT_BYTES || !(ms <= LIMIT_MS)) process.exitCode = 1

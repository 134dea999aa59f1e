/**
 * Whether the wall screen's tab grows: `npm run memory -- --hours 8`. The page's clock runs fast (every timer fires as
 * often as in those hours, each request is made and answered by the real program), while the program makes traffic so
 * fast that as many alerts come in as in those hours. Fails when the heap, after collecting, has grown by over 10 % and
 * 3 MB from the first third to the last, or nodes or listeners have.
 */
import type { CDPSession } from 'playwright-core'

import { browser } from '../e2e/browserProcess'
import { Server, until } from '../e2e/server'
import { option } from './options'

const HOURS = Number(option('hours', '8'))
/** The page's time per step: the shortest refresh interval, so that each interval fires. */
const STEP_MS = 2_000
/** Records a second: alerts come in about 60 times as fast as at 50. */
const RATE = Number(option('rate', '6000'))
/** Alerts that must have come in before it is measured: then every list is full. */
const WARM_ALERTS = 60
const GROWTH = { heap: 1.1, heapSlack: 3_000_000, nodes: 1.1, nodeSlack: 500 }

interface Reading {
  heap: number
  nodes: number
  listeners: number
}

async function read(session: CDPSession): Promise<Reading> {
  // Twice: what finalisers let go is collected by the second.
  await session.send('HeapProfiler.collectGarbage')
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = await session.send('Performance.getMetrics')
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') }
}

function least(readings: readonly Reading[]): Reading {
  const of = (pick: (reading: Reading) => number) => Math.min(...readings.map(pick))
  return { heap: of(({ heap }) => heap), nodes: of(({ nodes }) => nodes), listeners: of(({ listeners }) => listeners) }
}

const tell = (hours: number, { heap, nodes, listeners }: Reading, alerts: number) =>
  console.log(`${hours.toFixed(2)} h: heap ${(heap / 1e6).toFixed(2)} MB, ${nodes} nodes, ${listeners} listeners, alert ${alerts}`)

const server = await Server.simulator(RATE)
const chromium = await browser()
try {
  const page = await (await chromium.newContext({ viewport: { width: 1920, height: 1080 } })).newPage()
  await page.clock.install()
  await page.goto(server.url)
  let answers = 0
  page.on('requestfinished', () => (answers += 1))
  const step = async () => {
    // Each timer that is due fires once; its requests are answered before the next ones are made.
    await Promise.all([page.waitForResponse(/api\/status/, { timeout: 120_000 }), page.clock.fastForward(STEP_MS)])
  }
  const newest = async () => Number((await page.getByTestId('ticker').locator('[data-seq]').first().getAttribute('data-seq')) ?? 0)
  await until('every list is full', async () => {
    await step()
    return (await page.locator('canvas').count()) === 2 && (await page.getByTestId('ticker').locator('[data-seq]').count()) > 0 && (await newest()) > WARM_ALERTS
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await session.send('HeapProfiler.enable')

  const steps = Math.round((HOURS * 3_600_000) / STEP_MS)
  const parts = 10
  const readings: Reading[] = []
  const first = await newest()
  answers = 0
  for (let done = 1; done <= steps; done += 1) {
    await step()
    if (done % Math.ceil(steps / parts) === 0 || done === steps) {
      // Rows that move come to rest.
      await page.clock.runFor(1_000)
      const reading = await read(session)
      readings.push(reading)
      tell((done * STEP_MS) / 3_600_000, reading, await newest())
    }
  }
  // The least of a few: alerts that come in bursts are on their way in and out of the list.
  const third = Math.ceil(readings.length / 3)
  const [start, end] = [least(readings.slice(0, third)), least(readings.slice(-third))]
  const alerts = (await newest()) - first
  if (!(alerts > 0)) throw new Error('no alert came in: the page does not live')
  const grown =
    end.heap > start.heap * GROWTH.heap + GROWTH.heapSlack ||
    end.nodes > start.nodes * GROWTH.nodes + GROWTH.nodeSlack ||
    end.listeners > start.listeners * GROWTH.nodes + GROWTH.nodeSlack
  console.log(`${HOURS} hours of the page's time, ${answers} answers, ${alerts} alerts: ${grown ? 'it GROWS' : 'it does not grow'}`)
  if (grown) process.exitCode = 1
} finally {
  await chromium.close()
  await server.remove()
}

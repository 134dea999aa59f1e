/**
 * Whether the wall screen's tab grows: `npm run memory -- --hours 8`. The page's clock runs fast (every timer fires as
 * often as in those hours, each request is made and answered by the real program), and the program is fed as many
 * records and alerts as come in those hours. Fails when the heap, after collecting, has grown by over 10 % and 3 MB from
 * the first third to the last, or nodes or listeners have. (The clock that runs fast notes each step in the page: about
 * 0.1 MB for an hour.)
 */
import type { CDPSession } from 'playwright-core'

import { browser } from '../e2e/browserProcess'
import { Server, until } from '../e2e/server'
import { option } from './options'

const HOURS = Number(option('hours', '8'))
/** The page's time per step: the shortest refresh interval, so that each interval fires. */
const STEP_MS = 2_000
/** Passages of a step: 50 a second. */
const PASSAGES = 100
/** An alert every so many steps: more than there are on a real road, about 1,400 in 8 hours. */
const STEPS_PER_ALERT = 10
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

/** Far from one another: no car can reach the second from the first within five minutes. */
const PLACES = [
  ['邳州市', 'S250_Pizhou_Sulu'],
  ['铜山县', 'G311_Tongshan_Suwan'],
  ['睢宁县', 'G104_Suining_Suwan'],
  ['新沂市', 'S323_Xinyi_Woyao'],
] as const
const CARS = ['大众牌-朗逸-2015', '比亚迪牌-秦-2021', '解放牌-J6P-2019', '丰田牌-卡罗拉-2018'] as const
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
let passages = 0

/** A plate for every number below 5,760,000. */
function plate(number: number): string {
  const letter = (unit: number) => LETTERS[Math.floor(number / unit) % LETTERS.length] ?? ''
  return `苏${letter(240_000)}${letter(10_000)}${String(number % 10_000).padStart(4, '0')}`
}

/** The passages of one step at the time of now, each of a car of its own, but for two that wear one plate if so asked. */
function traffic(alert: boolean): string[] {
  const now = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const line = (hphm: string) => {
    passages += 1
    return [`M${passages}`, ...(PLACES[passages % PLACES.length] ?? []), '1', now, '02', hphm, CARS[passages % CARS.length]].join('\t')
  }
  const cloned = plate(passages)
  const lines = Array.from({ length: PASSAGES }, () => line(plate(passages + 1)))
  return alert ? [...lines, line(cloned), line(cloned)] : lines
}

const warming = Array.from({ length: WARM_ALERTS }, () => traffic(true)).flat()
const server = await Server.fed(warming)
const chromium = await browser()
try {
  const page = await (await chromium.newContext({ viewport: { width: 1920, height: 1080 } })).newPage()
  await page.clock.install()
  await page.goto(server.url)
  let [answers, steps] = [0, 0]
  page.on('requestfinished', () => (answers += 1))
  const step = async () => {
    steps += 1
    await server.feed(traffic(steps % STEPS_PER_ALERT === 0))
    // Each timer that is due fires once; its requests are answered before the next ones are made.
    await Promise.all([page.waitForResponse(/api\/status/, { timeout: 120_000 }), page.clock.fastForward(STEP_MS)])
  }
  const newest = async () => Number((await page.getByTestId('ticker').locator('[data-seq]').first().getAttribute('data-seq')) ?? 0)
  await until('every list is full', async () => {
    await step()
    return (await page.locator('canvas').count()) === 2 && (await page.getByTestId('ticker').locator('[data-seq]').count()) > 0 && (await newest()) >= WARM_ALERTS
  })
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await session.send('HeapProfiler.enable')

  const wanted = Math.round((HOURS * 3_600_000) / STEP_MS)
  const parts = 10
  const readings: Reading[] = []
  const first = await newest()
  answers = 0
  for (let done = 1; done <= wanted; done += 1) {
    await step()
    if (done % Math.ceil(wanted / parts) === 0 || done === wanted) {
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

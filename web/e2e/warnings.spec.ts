import { afterAll, beforeAll, expect, inject } from 'vitest'

import { choose, seriousViolations, test } from './browser'
import { Live } from './live'
import { until } from './server'

let live: Live
beforeAll(async () => {
  live = await Live.with(12)
})
afterAll(() => live.server.remove())

interface Alert {
  id: string
  hphm: string
  severity: string
  status: string
  prev_gcxh: string
  curr_gcxh: string
}

async function warnings(query: string): Promise<{ total: number; records: Alert[] }> {
  const answer = (await (await fetch(`${inject('url')}/api/warnings?${query}`)).json()) as { data: { total: number; records: Alert[] } }
  return answer.data
}

async function anAlert(query = 'severity=high&status=new'): Promise<Alert> {
  const { records } = await warnings(`${query}&limit=1`)
  if (!records[0]) throw new Error(`the demo has no alert with ${query}`)
  return records[0]
}

test('filters narrow the list, live in the address, and survive a reload', async ({ open }) => {
  const page = await open('/warnings')
  const rows = page.getByTestId('alerts').locator('tbody tr')
  await rows.first().waitFor()
  await choose(page, '级别', '高')
  await page.waitForURL(/severity=high/)
  await until('only high ones', async () => (await rows.locator('td:first-child').allInnerTexts()).every((text) => text.includes('高')))
  const plate = (await anAlert('severity=high')).hphm
  await page.getByRole('textbox', { name: '号牌' }).fill(plate)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.searchParams.get('hphm') === plate)
  await until('only that plate', async () => new Set(await rows.locator('td:nth-child(2)').allInnerTexts()).size === 1)
  await page.reload()
  await rows.first().waitFor()
  expect(await page.getByRole('textbox', { name: '号牌' }).inputValue()).toBe(plate)
  await page.getByRole('button', { name: '清空' }).click()
  await page.waitForURL((url) => url.search === '')
})

test('a filter that nothing matches says so', async ({ open }) => {
  const page = await open('/warnings?hphm=没有这样的号牌')
  await page.getByText('没有符合条件的预警').waitFor()
})

test('a wrong filter shows what the server says, with a retry', async ({ open }) => {
  const page = await open('/warnings?start=yesterday', { expectsErrors: true })
  await page.getByRole('alert').getByText(/start/).waitFor()
  await page.getByRole('button', { name: '重试' }).waitFor()
})

test('pages turn, and the page is in the address', async ({ open }) => {
  const page = await open('/warnings?severity=low')
  const first = page.getByTestId('alerts').locator('tbody tr').first()
  await first.waitFor()
  await page.locator('.el-pager .number', { hasText: /^2$/ }).click()
  await page.waitForURL(/page=2/)
  expect(await page.locator('.el-pager .is-active').innerText()).toBe('2')
  await page.goBack()
  await page.waitForURL((url) => !url.searchParams.has('page'))
})

test('an alert shows both sightings, the map and the track around them', async ({ open }) => {
  const alert = await anAlert()
  const page = await open('/warnings?severity=high')
  const link = page.getByRole('link', { name: `查看 ${alert.hphm} 的预警` })
  await link.and(page.locator(`[href*="${alert.id}"]`)).click()
  await page.waitForURL(/\/warnings\/[0-9a-f]{16}\?severity=high/)
  await page.getByText(alert.prev_gcxh).waitFor()
  await page.getByText(alert.curr_gcxh).waitFor()
  await page.getByText('推算速度').last().waitFor()
  expect(await page.getByRole('region', { name: '两次过车的位置' }).locator('.sighting circle').count()).toBe(2)
  const track = page.getByRole('region', { name: '前后 12 小时轨迹' })
  await until('both sightings on the track', async () => (await track.getByText('本预警').count()) === 2)
  await track.getByText('不可能到达').first().waitFor()
  await page.getByRole('button', { name: '关闭详情' }).click()
  await page.waitForURL((url) => url.pathname === '/warnings' && url.search === '?severity=high')
})

const MAP_SIZES = [[1920, 1080], [1280, 720], [1024, 768], [420, 800]] as const

test('on the map of an alert nothing covers a sighting, its name or the distance', async ({ open }) => {
  const { records } = await warnings('limit=12')
  for (const { id } of records.filter((_, index) => index % 2 === 0)) {
    const page = await open(`/warnings/${id}`)
    const map = page.getByRole('region', { name: '两次过车的位置' })
    for (const [width, height] of MAP_SIZES) {
      await page.setViewportSize({ width, height })
      await map.locator('.sighting circle').nth(1).waitFor()
      await page.waitForTimeout(200)
      const boxes = await map.locator('svg .marks').evaluate((marks) =>
        [...marks.querySelectorAll('.sighting circle, .sighting .name, .between rect')].map((one) => {
          const { left, right, top, bottom } = one.getBoundingClientRect()
          return { what: one.textContent?.trim() || one.tagName, left, right, top, bottom }
        }),
      )
      expect(boxes.filter(({ what }) => what === 'circle')).toHaveLength(2)
      if (width > 1000) expect(boxes.length, `${id} ${width}`).toBe(5)
      const covered = boxes.flatMap((one, index) =>
        boxes.slice(index + 1).flatMap((other) => {
          if (one.what === 'circle' && other.what === 'circle') return []
          const apart = one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top
          return apart ? [] : [`${one.what} and ${other.what}`]
        }),
      )
      expect({ id, width, covered }).toEqual({ id, width, covered: [] })
    }
    await page.close()
  }
})

test('the list does not move under the pointer, and says how many wait', async ({ open }) => {
  const page = await open('/warnings', { url: live.server.url })
  const rows = page.getByTestId('alerts').locator('tbody tr')
  await rows.first().waitFor()
  await rows.nth(5).hover()
  const held = await rows.allInnerTexts()
  await live.raise()
  const bar = page.getByRole('button', { name: /1 条新预警，点此显示/ })
  await bar.waitFor()
  expect(await rows.allInnerTexts()).toEqual(held)
  await bar.click()
  await until('the new ones', async () => (await rows.first().innerText()) !== held[0])
})

test('an alert is printed on one white page', async ({ open }) => {
  const { id } = await anAlert()
  const page = await open(`/warnings/${id}`)
  await page.locator('.sighting circle').first().waitFor()
  await page.getByRole('region', { name: '前后 12 小时轨迹' }).getByText('本预警').first().waitFor()
  const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString('latin1')
  expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1)
  await page.emulateMedia({ media: 'print' })
  const look = await page.evaluate(() => {
    const style = getComputedStyle(document.querySelector('.detail .panel') ?? document.body)
    return [getComputedStyle(document.body).backgroundColor, style.backgroundColor, style.color]
  })
  expect(look).toEqual(['rgb(255, 255, 255)', 'rgb(255, 255, 255)', 'rgb(0, 0, 0)'])
  for (const name of ['页面', '筛选']) expect(await page.getByRole('navigation', { name }).or(page.getByRole('search', { name })).isVisible()).toBe(false)
  expect(await page.getByRole('button').filter({ visible: true }).count()).toBe(0)
})

test('work on an alert passes its states, with who, when and why', async ({ open }) => {
  const { id } = await anAlert()
  const page = await open(`/warnings/${id}?status=new`)
  const history = page.getByRole('region', { name: '研判记录' })
  await page.getByRole('button', { name: '开始研判' }).click()
  await page.getByText('请填写处理人').waitFor()
  await page.getByLabel('处理人').fill('王警官')
  await page.getByLabel('备注').fill('已调取两处图像')
  await page.getByRole('button', { name: '开始研判' }).click()
  await history.getByText('已调取两处图像').waitFor()
  await page.getByRole('button', { name: '确认套牌' }).click()
  await history.getByText('已确认').waitFor()
  // Kept by the server: another browser sees it, and the filter finds it.
  const other = await open(`/warnings/${id}?status=confirmed`)
  await other.getByRole('region', { name: '研判记录' }).getByText('王警官').first().waitFor()
  await other.getByTestId('alerts').locator('tbody tr.selected').waitFor()
  expect((await warnings('status=confirmed&limit=1000')).records.map((alert) => alert.id)).toContain(id)
  // Taking it up again needs a reason.
  await other.getByLabel('处理人').fill('李警官')
  await other.getByRole('button', { name: '重新研判' }).click()
  await other.getByText('重新研判需要写明原因').waitFor()
})

test('who is slower learns that the alert was changed', async ({ open }) => {
  const { id } = await anAlert()
  const page = await open(`/warnings/${id}`, { expectsErrors: true })
  await page.getByRole('button', { name: '开始研判' }).waitFor()
  await page.route('**/api/warnings/*', (route) => (route.request().method() === 'GET' ? route.abort() : route.continue()))
  await fetch(`${inject('url')}/api/warnings/${id}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ status: 'investigating', by: '快手' }),
  })
  await page.getByLabel('处理人').fill('慢手')
  await page.getByRole('button', { name: '开始研判' }).click()
  await page.locator('.outcome.bad').waitFor()
  await page.unroute('**/api/warnings/*')
  await page.getByRole('region', { name: '研判记录' }).getByText('快手').waitFor({ timeout: 30_000 })
})

test('axe finds nothing serious, in both languages', async ({ open }) => {
  const { id } = await anAlert('severity=high')
  for (const language of ['zh', 'en'] as const) {
    const page = await open(`/warnings/${id}`, { language })
    await page.locator('.sighting circle').first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
  }
})

import { expect } from 'vitest'

import { appliance } from './appliance'
import { seriousViolations, test } from './browser'

const [FROM, TO] = ['G3_Sulu', 'G104_Tongshan_Sulu']

/** Cars from one checkpoint to another: ten minutes in the first hours and thirty in the last. */
function cars(): string[] {
  const time = (seconds: number) => {
    const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    return `2024-01-02 ${[hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':')}`
  }
  const lines: [number, string][] = []
  for (let car = 0; car < 900; car += 1) {
    const start = 6 * 3600 + car * 20
    const there = start + (start < 10 * 3600 ? 600 : 1800) + (car % 7) * 5
    // Others drive back, so that the clocks are known.
    const [first, last] = car % 3 ? [FROM, TO] : [TO, FROM]
    const took = car % 3 ? there : start + 600 + (car % 7) * 5
    const plate = `苏C${String(10_000 + car)}`
    for (const [at, kkmc] of [[start, first], [took, last]] as const) {
      const id = `G3203${String(lines.length).padStart(14, '0')}`
      lines.push([at, [id, '铜山县', kkmc, '1', time(at), '02', plate, '大众牌-朗逸-2015'].join('\t')])
    }
  }
  return lines.sort(([a], [b]) => a - b).map(([, line]) => line)
}

test('the list, the wall and a segment say how the road flows', async ({ open }) => {
  const own = await appliance(cars())
  try {
    const page = await open('/roads', { url: own.url, expectsErrors: true })
    const row = page.getByTestId('roads').getByRole('row').nth(1)
    await row.getByText('严重拥堵').waitFor()
    await page.getByTestId('road-legend').getByText('基本畅通').waitFor()
    await row.getByRole('link').click()
    await page.waitForURL((url) => url.searchParams.get('from') === FROM && url.searchParams.get('to') === TO)
    const road = page.getByTestId('road')
    await road.getByText('自由流').first().waitFor()
    await road.getByText('估计：直线距离 × 1.25').waitFor()
    await road.getByText('往日没有这些小时的数据，无法预计').waitFor()
    expect(await page.getByTestId('road-lines').locator('a.severe').count()).toBeGreaterThan(0)
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: '关闭路段' }).click()
    await page.waitForURL((url) => !url.searchParams.has('from'))
    await page.getByRole('button', { name: /^全部 / }).click()
    await page.getByTestId('roads').getByText('车辆太少').first().waitFor()
    await page.goto('/roads?from=G3_Sulu&to=nowhere')
    await page.getByRole('alert').getByText(/没有从 .* 的路段/).waitFor()
    await page.goto('/')
    await page.getByTestId('road-legend').getByText('严重拥堵').waitFor()
    expect(await page.getByTestId('road-lines').locator('a.severe').count()).toBeGreaterThan(0)
  } finally {
    await own.remove()
  }
})

test('where evidence is off the page says so, in both languages', async ({ open }) => {
  const own = await appliance([], '[detect]\nevidence = "off"\n')
  try {
    for (const [language, text] of [['zh', /未启用证据学习/], ['en', /Evidence is not learnt/]] as const) {
      const page = await open('/roads', { url: own.url, language })
      await page.getByText(text).first().waitFor()
    }
  } finally {
    await own.remove()
  }
})

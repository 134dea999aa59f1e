// @vitest-environment jsdom
import { expect, test } from 'vitest'

import { type Band, flowChart, type FlowSeries } from '@/lib/flowChart'

const number = (value: number) => String(Math.round(value))
const today: FlowSeries = { id: 'today', name: 'Today', look: 'area', colour: '#fff', data: [1, 2, null] }
const forecast: FlowSeries = { id: 'forecast', name: 'Forecast', look: 'dashes', colour: '#fff', data: [] }
const band = (lower: number[], upper: number[]): Band => ({ of: 'forecast', name: 'Band', colour: '#fff', lower, upper })

const names = (chart: ReturnType<typeof flowChart>) => chart.legend.data.map(({ name }) => name)

test('what has no data yet is not explained', () => {
  expect(names(flowChart(16, number, [today, forecast], band([], [])))).toEqual(['Today'])
  expect(names(flowChart(16, number, [today, { ...forecast, data: [3] }], band([1], [4])))).toEqual(['Today', 'Forecast', 'Band'])
})

test('the same series are there with and without data, so that new data is merged into them', () => {
  const ids = (chart: ReturnType<typeof flowChart>) => chart.series.map(({ id }) => id)
  expect(ids(flowChart(16, number, [today, forecast]))).toEqual(ids(flowChart(16, number, [today, { ...forecast, data: [3] }], band([1], [4]))))
})

test('the band is stacked on its lower end', () => {
  const [lower, width] = flowChart(16, number, [forecast], band([10, 20], [15, 26])).series
  expect([lower?.data, width?.data]).toEqual([[10, 20], [5, 6]])
})

test('the tooltip tells the interval with the forecast, and what is not known not at all', () => {
  const { formatter } = flowChart(16, number, [today, forecast], band([], [])).tooltip
  const item = (seriesId: string, seriesName: string, value: number | null) => ({ seriesId, seriesName, value, marker: '', axisValue: '08:00' })
  const html = formatter([item('band-lower', '', 10), item('band-width', 'Band', 5), item('today', 'Today', null), item('forecast', 'Forecast', 12.4)])
  expect(html).toBe('<div>08:00</div><div>Forecast <b>12</b> (10–15)</div>')
})

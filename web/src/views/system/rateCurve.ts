/** Rate and lag of the last minutes as a chart. Knows no component. */
import { chartBase, COLOURS } from '@/lib/chartTheme'

import type { Reading } from './rates'

/** Minutes shown: those with readings, from one to ten. */
export function minutesShown(readings: readonly Reading[]): number {
  const [first, last] = [readings[0], readings.at(-1)]
  const minutes = first && last ? (last.at - first.at) / 60_000 : 0
  return [1, 2, 5].find((shown) => minutes <= shown) ?? 10
}

export interface RateCurve {
  rem: number
  readings: readonly Reading[]
  names: { rate: string; lag: string }
  minute: (minutes: number) => string
  number: (value: number) => string
  span: (seconds: number) => string
}

export function rateOption({ rem, readings, names, minute, number, span }: RateCurve) {
  const base = chartBase(rem)
  const last = readings.at(-1)?.at ?? 0
  const minutes = minutesShown(readings)
  const ago = (reading: Reading) => (reading.at - last) / 60_000
  const line = { type: 'line', showSymbol: false, emphasis: { disabled: true } } as const
  return {
    ...base,
    grid: { top: 2.2 * rem, right: 3.4 * rem, bottom: 1.6 * rem, left: 3.4 * rem },
    legend: { top: 0, left: 0, itemWidth: 1.2 * rem, itemHeight: 0.2 * rem, icon: 'rect', textStyle: base.textStyle },
    tooltip: { ...base.tooltip, trigger: 'axis' },
    xAxis: {
      type: 'value',
      min: -minutes,
      max: 0,
      interval: minutes / 5,
      axisLabel: { ...base.axisLabel, formatter: minute },
      axisLine: base.axisLine,
      splitLine: { show: false },
      axisPointer: { label: { formatter: ({ value }: { value: number }) => minute(value) } },
    },
    yAxis: [
      { type: 'value', min: 0, splitNumber: 3, axisLabel: { ...base.axisLabel, formatter: number }, splitLine: base.splitLine },
      { type: 'value', min: 0, minInterval: 1, max: ({ max }: { max: number }) => Math.max(12, max), splitNumber: 3, axisLabel: { ...base.axisLabel, formatter: span }, splitLine: { show: false } },
    ],
    series: [
      {
        ...line,
        id: 'rate',
        name: names.rate,
        data: readings.map((reading) => [ago(reading), reading.rate]),
        lineStyle: { color: COLOURS.accent, width: 0.125 * rem },
        itemStyle: { color: COLOURS.accent },
        areaStyle: { color: COLOURS.accent, opacity: 0.12 },
        tooltip: { valueFormatter: number },
      },
      {
        ...line,
        id: 'lag',
        name: names.lag,
        yAxisIndex: 1,
        step: 'end',
        data: readings.map((reading) => [ago(reading), reading.lag]),
        lineStyle: { color: COLOURS.forecast, width: 0.1 * rem, type: 'dashed' },
        itemStyle: { color: COLOURS.forecast },
        tooltip: { valueFormatter: span },
      },
    ],
  }
}

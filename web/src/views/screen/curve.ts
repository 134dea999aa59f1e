/** The 24-hour curve: what is drawn, from counts. Knows no component. */
import type { HourForecast } from '@/api/predict'
import { chartBase, COLOURS } from '@/lib/chartTheme'
import { dateOf } from '@/lib/civil'

type Counts = (number | null)[]

/**
 * The hours of a day that are complete, and the one that still runs: a part of an hour must not look like a fall. Hours
 * to come are null. Of a day that is over, all are complete.
 */
export function splitRunning(counts: readonly (number | null)[], day: string | null, newest: string | null): { done: Counts; running: Counts } {
  const running = day != null && newest != null && dateOf(newest) === day ? Number(newest.slice(11, 13)) : 24
  return {
    done: counts.map((count, hour) => (hour < running ? count : null)),
    running: counts.map((count, hour) => (hour === running ? count : null)),
  }
}

/** Marks of the legend. */
const LINE = 'path://M0 4h20v3H0z'
const DASHES = 'path://M0 4h5v3H0zM7.5 4h5v3h-5zM15 4h5v3h-5z'

export interface Curve {
  rem: number
  hours: readonly string[]
  done: Counts
  running: Counts
  yesterday: Counts
  forecast: readonly HourForecast[]
  names: Record<'today' | 'running' | 'yesterday' | 'forecast' | 'band', string>
  number: (value: number) => string
}

interface TooltipItem {
  seriesId: string
  marker: string
  seriesName: string
  value: number | null
  axisValue: string
}

export function curveOption({ rem, hours, done, running, yesterday, forecast, names, number }: Curve) {
  const base = chartBase(rem)
  const at = (pick: (hour: HourForecast) => number) => hours.map((_, hour) => forecast.find((entry) => entry.hour === hour)).map((entry) => (entry ? pick(entry) : null))
  const line = { type: 'line', smooth: 0.25, smoothMonotone: 'x', showSymbol: false, emphasis: { disabled: true } } as const
  const band = { ...line, silent: true, symbol: 'none', lineStyle: { opacity: 0 }, stack: 'band' }
  const legend = [
    { name: names.today, icon: LINE },
    { name: names.running, icon: 'circle' },
    { name: names.yesterday, icon: LINE },
    ...(forecast.length ? [{ name: names.forecast, icon: DASHES }, { name: names.band, icon: 'roundRect' }] : []),
  ]
  return {
    ...base,
    legend: {
      data: legend,
      top: 0,
      left: 0,
      itemWidth: 1.4 * rem,
      itemHeight: 0.55 * rem,
      itemGap: 1.25 * rem,
      textStyle: { color: COLOURS.textMuted, fontSize: 0.8125 * rem },
      selectedMode: false,
    },
    grid: { left: 0, right: 1.2 * rem, top: 2.1 * rem, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'category', boundaryGap: false, data: hours, axisLabel: { ...base.axisLabel, interval: 2 }, axisLine: base.axisLine, axisTick: { show: false } },
    yAxis: { type: 'value', min: 0, splitNumber: 4, axisLabel: { ...base.axisLabel, formatter: number }, splitLine: base.splitLine },
    tooltip: {
      ...base.tooltip,
      trigger: 'axis',
      axisPointer: { lineStyle: { color: COLOURS.lineStrong } },
      formatter: (items: TooltipItem[]) => tooltip(items, number),
    },
    series: [
      { ...band, id: 'lower', name: 'lower', data: at((entry) => entry.lower) },
      { ...band, id: 'band', name: names.band, data: at((entry) => entry.upper - entry.lower), areaStyle: { color: COLOURS.forecast, opacity: 0.13 }, itemStyle: { color: COLOURS.forecast, opacity: 0.35 } },
      { ...line, id: 'yesterday', name: names.yesterday, data: yesterday, itemStyle: { color: COLOURS.yesterday }, lineStyle: { width: 0.11 * rem } },
      { ...line, id: 'forecast', name: names.forecast, data: at((entry) => entry.predicted_flow), itemStyle: { color: COLOURS.forecast }, lineStyle: { width: 0.12 * rem, type: [0.35 * rem, 0.3 * rem] } },
      { ...line, id: 'running', name: names.running, data: running, itemStyle: { color: COLOURS.surface, borderColor: COLOURS.accent, borderWidth: 0.12 * rem }, showSymbol: true, symbol: 'circle', symbolSize: 0.6 * rem },
      { ...line, id: 'today', name: names.today, data: done, itemStyle: { color: COLOURS.accent }, lineStyle: { width: 0.18 * rem }, areaStyle: { color: COLOURS.accent, opacity: 0.1 } },
    ],
  }
}

function tooltip(items: readonly TooltipItem[], number: (value: number) => string): string {
  const value = (id: string) => items.find((item) => item.seriesId === id)?.value ?? null
  const shown = items.filter(({ seriesId, value: own }) => {
    if (own == null || seriesId === 'lower' || seriesId === 'band') return false
    return seriesId !== 'running' || value('today') == null
  })
  const rows = shown.map((item) => {
    const [lower, width] = [value('lower'), value('band')]
    const interval = item.seriesId === 'forecast' && lower != null && width != null ? ` (${number(lower)}–${number(lower + width)})` : ''
    return `<div>${item.marker}${item.seriesName} <b>${number(item.value ?? 0)}</b>${interval}</div>`
  })
  return `<div>${items[0]?.axisValue ?? ''}</div>${rows.join('')}`
}

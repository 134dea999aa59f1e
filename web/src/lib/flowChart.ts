/** Chart options for passages over the 24 hours of a day. Knows no component and no request. */
import { chartBase, COLOURS } from './chartTheme'

export type Counts = (number | null)[]

/** `00:00` … `23:00`. */
export const HOURS: readonly string[] = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`)

/** Style of a series: a thick line over an area, a thin line, dashes, or points. */
type Look = 'area' | 'line' | 'dashes' | 'points'

export interface FlowSeries {
  id: string
  name: string
  look: Look
  colour: string
  data: Counts
}

/** An interval around the series `of`. */
export interface Band {
  of: string
  name: string
  colour: string
  lower: Counts
  upper: Counts
}

const ICONS: Record<Look, string> = {
  area: 'path://M0 4h20v3H0z',
  line: 'path://M0 4h20v2H0z',
  dashes: 'path://M0 4h5v3H0zM7.5 4h5v3h-5zM15 4h5v3h-5z',
  points: 'circle',
}

interface TooltipItem {
  seriesId: string
  marker: string
  seriesName: string
  value: number | null
  axisValue: string
}

/** The first series is drawn above all others. */
export function flowChart(rem: number, number: (value: number) => string, series: readonly FlowSeries[], band?: Band) {
  const base = chartBase(rem)
  // A series without data has no legend entry.
  const legend = series.filter(({ data }) => data.some((value) => value != null)).map(({ name, look }) => ({ name, icon: ICONS[look] }))
  const bandShown = band?.upper.some((value) => value != null)
  return {
    ...base,
    legend: {
      data: [...legend, ...(band && bandShown ? [{ name: band.name, icon: 'roundRect' }] : [])],
      top: 0,
      left: 0,
      itemWidth: 1.4 * rem,
      itemHeight: 0.55 * rem,
      itemGap: 1.25 * rem,
      textStyle: { color: COLOURS.textMuted, fontSize: 0.8125 * rem },
      selectedMode: false,
    },
    grid: { left: 0, right: 1.2 * rem, top: 2.1 * rem, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: { type: 'category', boundaryGap: false, data: HOURS, axisLabel: { ...base.axisLabel, interval: 2 }, axisLine: base.axisLine, axisTick: { show: false } },
    yAxis: { type: 'value', min: 0, splitNumber: 4, axisLabel: { ...base.axisLabel, formatter: number }, splitLine: base.splitLine },
    tooltip: {
      ...base.tooltip,
      trigger: 'axis',
      axisPointer: { lineStyle: { color: COLOURS.lineStrong } },
      formatter: (items: TooltipItem[]) => tooltip(items, number, band?.of),
    },
    series: [...bandSeries(band), ...series.map((one, index) => ({ ...drawn(one, rem), z: 10 - index }))],
  }
}

const LINE = { type: 'line', smooth: 0.25, smoothMonotone: 'x', showSymbol: false, emphasis: { disabled: true } } as const

/** Two stacked series: an invisible one up to the lower end, and the band itself. Always present, so that a band that is
 * added later is merged below the lines. */
function bandSeries(band: Band | undefined) {
  const common = { ...LINE, silent: true, symbol: 'none', lineStyle: { opacity: 0 }, stack: 'band' }
  const colour = band?.colour ?? COLOURS.forecast
  const width = band?.upper.map((upper, hour) => (upper == null ? null : upper - (band.lower[hour] ?? 0)))
  return [
    { ...common, id: 'band-lower', name: 'band-lower', data: band?.lower ?? [] },
    {
      ...common,
      id: 'band-width',
      name: band?.name ?? 'band',
      data: width ?? [],
      areaStyle: { color: colour, opacity: 0.15 },
      itemStyle: { color: colour, opacity: 0.4 },
    },
  ]
}

function drawn({ id, name, look, colour, data }: FlowSeries, rem: number) {
  const common = { ...LINE, id, name, data, itemStyle: { color: colour } }
  if (look === 'area') return { ...common, lineStyle: { width: 0.18 * rem }, areaStyle: { color: colour, opacity: 0.1 } }
  if (look === 'line') return { ...common, lineStyle: { width: 0.11 * rem } }
  if (look === 'dashes') return { ...common, lineStyle: { width: 0.12 * rem, type: [0.35 * rem, 0.3 * rem] } }
  const itemStyle = { color: COLOURS.surface, borderColor: colour, borderWidth: 0.12 * rem }
  return { ...common, lineStyle: { width: 0 }, itemStyle, showSymbol: true, symbol: 'circle', symbolSize: 0.6 * rem }
}

/** Names are texts of the page and values are numbers: nothing needs to be escaped. */
function tooltip(items: readonly TooltipItem[], number: (value: number) => string, banded: string | undefined): string {
  const value = (id: string) => items.find(({ seriesId }) => seriesId === id)?.value ?? null
  const [lower, width] = [value('band-lower'), value('band-width')]
  const rows = items
    .filter((item) => item.value != null && !item.seriesId.startsWith('band-'))
    .map((item) => {
      const interval = item.seriesId === banded && lower != null && width != null ? ` (${number(lower)}–${number(lower + width)})` : ''
      return `<div>${item.marker}${item.seriesName} <b>${number(item.value ?? 0)}</b>${interval}</div>`
    })
  return `<div>${items[0]?.axisValue ?? ''}</div>${rows.join('')}`
}

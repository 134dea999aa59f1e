/** How a day's forecast compares with what was counted. */
import type { HourForecast } from '@/api/predict'

export interface DaySummary {
  /** Forecast of all hours. */
  predicted: number
  /** Hours that were counted, their counts, and the forecast of them. */
  hours: number
  actual: number
  predictedSoFar: number
  /** Counted hours that the model has not learnt from: only they can judge it. */
  judged: number
  /** Of those: sum of the absolute errors over the sum of the counts; null where nothing was counted. */
  wape: number | null
  /** Of those: hours whose count lies within the interval. */
  inside: number
}

/** `learntUntil`: the last hour of this day that the model learnt from; −1 for none. */
export function summarise(hours: readonly HourForecast[], learntUntil = -1): DaySummary {
  const summary: DaySummary = { predicted: 0, hours: 0, actual: 0, predictedSoFar: 0, judged: 0, wape: null, inside: 0 }
  let errors = 0
  let counted = 0
  for (const { hour, predicted_flow, lower, upper, actual } of hours) {
    summary.predicted += predicted_flow
    if (actual == null) continue
    summary.hours += 1
    summary.actual += actual
    summary.predictedSoFar += predicted_flow
    if (hour <= learntUntil) continue
    summary.judged += 1
    counted += actual
    errors += Math.abs(predicted_flow - actual)
    if (actual >= lower && actual <= upper) summary.inside += 1
  }
  if (counted > 0) summary.wape = errors / counted
  return summary
}

/** The last hour of `date` up to which a model learnt whose training ended with the hour that begins at `last`. */
export function learntUntil(date: string, last: string | null | undefined): number {
  if (!last || date > last.slice(0, 10)) return -1
  return date < last.slice(0, 10) ? 23 : Number(last.slice(11, 13))
}

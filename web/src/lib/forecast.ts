/** The forecast of a day compared with the counts. */
import type { HourForecast } from '@/api/predict'

export interface DaySummary {
  /** Forecast of all hours. */
  predicted: number
  /** Hours that were counted, their counts, and the forecast of them. */
  hours: number
  actual: number
  predictedSoFar: number
  /** Counted hours that are not in the training data: only they can be used to judge the model. */
  judged: number
  /** Of these: sum of the absolute errors over the sum of the counts; null if nothing was counted. */
  wape: number | null
  /** Of these: hours whose count is within the interval. */
  inside: number
}

/** `learntUntil`: the last hour of this day in the training data; −1 for none. */
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

/** The last hour of `date` in the training data, which ends with the hour that begins at `last`. */
export function learntUntil(date: string, last: string | null | undefined): number {
  if (!last || date > last.slice(0, 10)) return -1
  return date < last.slice(0, 10) ? 23 : Number(last.slice(11, 13))
}

/** How a day's forecast compares with what was counted. */
import type { HourForecast } from '@/api/predict'

export interface DaySummary {
  /** Forecast of all hours. */
  predicted: number
  /** Hours that were counted, their counts, and the forecast of them. */
  hours: number
  actual: number
  predictedSoFar: number
  /** Sum of the absolute errors over the sum of the counts; null where nothing was counted. */
  wape: number | null
  /** Counted hours whose count lies within the interval. */
  inside: number
}

export function summarise(hours: readonly HourForecast[]): DaySummary {
  const summary: DaySummary = { predicted: 0, hours: 0, actual: 0, predictedSoFar: 0, wape: null, inside: 0 }
  let errors = 0
  for (const { predicted_flow, lower, upper, actual } of hours) {
    summary.predicted += predicted_flow
    if (actual == null) continue
    summary.hours += 1
    summary.actual += actual
    summary.predictedSoFar += predicted_flow
    errors += Math.abs(predicted_flow - actual)
    if (actual >= lower && actual <= upper) summary.inside += 1
  }
  if (summary.actual > 0) summary.wape = errors / summary.actual
  return summary
}

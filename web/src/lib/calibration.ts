/** What a probability is worth by the desk's decisions. Knows no component. */
import type { Calibration } from '@/api/calibration'

/** Fewer decisions say nothing. */
export const ENOUGH_DECISIONS = 10

/** What a probability is worth: between two points of the curve, as far as it lies between them; null where too few are decided. */
export function worthOf({ decided, curve }: Pick<Calibration, 'decided' | 'curve'>, probability: number): number | null {
  if (decided < ENOUGH_DECISIONS) return null
  const after = curve.findIndex((point) => point.probability > probability)
  const [low, high] = [curve[after < 0 ? curve.length - 1 : after - 1], curve[after]]
  if (!low) return high?.calibrated ?? null
  if (!high) return low.calibrated
  const share = (probability - low.probability) / (high.probability - low.probability)
  return low.calibrated + share * (high.calibrated - low.calibrated)
}

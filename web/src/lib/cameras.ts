/** Cameras: shares of their records, and which of them a filter leaves. Knows no component. */
import { type Camera, CAMERA_STATES, type CameraHealth } from '@/api/types'

import type { Gravity } from './gravity'

export const GRAVITY_OF: Record<CameraHealth, Gravity | 'good'> = { bad: 'bad', doubtful: 'warn', ok: 'good' }

/** A part of a whole, 0 to 1; null of nothing. */
function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null
}

export interface Shares {
  /** Of all accepted passages. */
  late: number | null
  ahead: number | null
  /** Of all readings, complete or not. */
  unread: number | null
  unbranded: number | null
  doubles: number | null
  /** Of the records that were compared with the plate's one before. */
  contradicted: number | null
}

export function sharesOf(camera: Camera): Shares {
  const { accepted, late, records, ahead, unread, unbranded, doubles, compared, contradicted } = camera
  return {
    late: share(late, accepted),
    ahead: share(ahead, records),
    unread: share(unread, records + unread),
    unbranded: share(unbranded, records),
    doubles: share(doubles, records),
    contradicted: share(contradicted, compared),
  }
}

/** How many are in each state. */
export function countsOf(cameras: readonly Camera[]): Record<CameraHealth, number> {
  const counts = { bad: 0, doubtful: 0, ok: 0 }
  for (const { state } of cameras) counts[state] += 1
  return counts
}

export const isHealth = (text: string): text is CameraHealth => (CAMERA_STATES as readonly string[]).includes(text)

/** Those in a state, and of one checkpoint; an empty filter leaves all. */
export function chosen(cameras: readonly Camera[], state: string, kkmc: string): Camera[] {
  return cameras.filter((camera) => (!isHealth(state) || camera.state === state) && (!kkmc || camera.kkmc === kkmc))
}

/** Common time ranges, relative to the server's clock. */
import { addDays, addSeconds, dateOf } from './civil'

export type Shortcut = 'hour' | 'day' | 'today' | 'yesterday'

/** An end in the present is left open, so that the address keeps its meaning. */
export function spanOf(shortcut: Shortcut, now: string): { start: string; end: string } {
  const today = dateOf(now)
  const yesterday = addDays(today, -1)
  switch (shortcut) {
    case 'hour':
      return { start: addSeconds(now, -3600), end: '' }
    case 'day':
      return { start: addSeconds(now, -86_400), end: '' }
    case 'today':
      return { start: `${today} 00:00:00`, end: `${today} 23:59:59` }
    case 'yesterday':
      return { start: `${yesterday} 00:00:00`, end: `${yesterday} 23:59:59` }
  }
}

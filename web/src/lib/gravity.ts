/** How bad something is, and the shape of each degree on 16 by 16: octagon, triangle, dot; a tick if nothing is wrong. */
export type Gravity = 'bad' | 'warn' | 'note'

export const SHAPES: Record<Gravity | 'good', string> = {
  bad: 'M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z',
  warn: 'M8 1.2 15.2 14.4H.8z',
  note: 'M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
  good: 'm1.6 8.4 2-2 3 3 5.8-6 2 2-7.8 8z',
}

/** Traffic to and fro along one road, of which an appliance learns: one clock is wrong, and a plate is on two cars. */
export const CLONED = '苏C00001'
export const FAST = { kkmc: 'S251_Pizhou_Sulu', label: 'S251', seconds: 300 }

/** Checkpoints of the built-in catalogue, in the order of this road. */
const SITES = ['G3_Sulu', 'S250_Pizhou_Sulu', 'G104_Tongshan_Sulu', FAST.kkmc, 'G206_Tongshan_Suwan', 'G310_Tongshan_Suwan', 'G311_Tongshan_Suwan', 'S252_Suining_Suwan']
/** Seconds between neighbours. */
const LEG = 540
const HOURS = 8
const CARS = 220

/** Numbers that are the same in each run (xorshift). */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const clock = (seconds: number) =>
  `2024-01-01 ${[Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':')}`

/** The lines of a capture, in the order in which they arrive. */
export function road(): string[] {
  const below = dice(7)
  const lines: [number, string][] = []
  function drive(plate: string, brand: string, first: number) {
    let [now, site, up] = [below(900), first, first < SITES.length / 2]
    while (now < HOURS * 3600) {
      const kkmc = SITES[site] ?? ''
      const shown = clock(now + (kkmc === FAST.kkmc ? FAST.seconds : 0))
      lines.push([now + 2 + below(4), ['G32030' + String(lines.length).padStart(13, '0'), '铜山县', kkmc, up ? '2' : '1', shown, '02', plate, `${brand}牌`].join('\t')])
      if ((site === 0 && !up) || (site === SITES.length - 1 && up)) {
        up = !up
        now += 400 + below(2400)
        continue
      }
      site += up ? 1 : -1
      now += Math.floor((LEG * (90 + below(40))) / 100)
    }
  }
  for (let car = 0; car < CARS; car += 1) {
    drive(`苏C${String(10_000 + car * 37)}`, ['本田', '丰田', '别克', '日产', '现代'][car % 5] ?? '', below(SITES.length))
  }
  drive(CLONED, '大众', 0)
  drive(CLONED, '福田', SITES.length - 1)
  return lines.sort(([a], [b]) => a - b).map(([, line]) => line)
}

/** An appliance that raises alerts when a test says so: the demo raises few at night, when its roads are empty. */
import { passage } from './appliance'
import { Server } from './server'

const SITES = ['G3_Sulu', 'S252_Suining_Suwan'] as const
const civil = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium' })

/** Passages of a plate at both ends of the region within a second, just now. */
function clone(number: number): string[] {
  const [now, plate] = [civil.format(new Date()), `苏C${String(10_000 + number)}`]
  return SITES.map((site) => passage(`${plate}-${site}`, site, now, plate))
}

export class Live {
  private constructor(
    readonly server: Server,
    private clones: number,
  ) {}

  /** Begins with so many alerts. */
  static async with(alerts: number): Promise<Live> {
    const lines = Array.from({ length: alerts }, (_, number) => clone(number)).flat()
    return new Live(await Server.fed(lines), alerts)
  }

  async raise(): Promise<void> {
    await this.server.feed(clone(this.clones))
    this.clones += 1
  }
}

/** Starts and stops the real program with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The program to test: `PLATEWATCH_BINARY`, or where the project's scripts build it. */
export const BINARY =
  process.env.PLATEWATCH_BINARY ??
  join(process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/platewatch/target'), 'release/platewatch')

const DEADLINE_MS = 240_000

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

export async function until(what: string, check: () => Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await check().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited too long: ${what}`)
    await sleep(100)
  }
}

export class Server {
  private child: ChildProcess | undefined
  private output = ''

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly rate: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** A demo with a day of history at `rate` records a second, ready and up to date. */
  static async demo(rate: number): Promise<Server> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it, or set PLATEWATCH_BINARY`)
    const server = new Server(await freePort(), await mkdtemp(join(tmpdir(), 'platewatch-e2e-')), rate)
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const args = ['demo', '--port', String(this.port), '--rate', String(this.rate), '--data-dir', this.dataDir]
    const child = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-20_000)
      })
    }
    await until('the demo reaches the present', async () => {
      if (child.exitCode !== null) throw new Error(`the demo has ended:\n${this.output}`)
      const status = (await (await fetch(`${this.url}/api/status`)).json()) as { data: { lag_seconds: number | null } }
      return (status.data.lag_seconds ?? Infinity) <= 5
    })
  }

  /** Ends the process; the data directory stays. */
  async stop(): Promise<void> {
    const child = this.child
    if (!child || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(late)
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

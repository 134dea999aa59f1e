/** Starts and stops the real program with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The program to test: `PLATEWATCH_BINARY`, or where the project's scripts build it. */
export const BINARY =
  process.env.PLATEWATCH_BINARY ??
  join(process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/platewatch/target'), 'release/platewatch')

/** Below a test's own deadline, so that a test says what it waited for. */
const DEADLINE_MS = 60_000
/** A demo makes up its history and learns from it first. */
const START_DEADLINE_MS = 240_000

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

const newFolder = () => mkdtemp(join(tmpdir(), 'platewatch-e2e-'))

export class Server {
  private child: ChildProcess | undefined
  private output = ''

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly args: readonly string[],
    private readonly env: Record<string, string> = {},
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** A demo with a day of history at `rate` records a second, ready and up to date; an alert comes about every 250 records. */
  static async demo(rate: number): Promise<Server> {
    const [port, dataDir] = [await freePort(), await newFolder()]
    const server = new Server(port, dataDir, ['demo', '--port', String(port), '--rate', String(rate), '--data-dir', dataDir])
    await server.start()
    return server
  }

  /** A server that takes in what it is fed, beginning with `lines`, the newest of which is of now. */
  static async fed(lines: readonly string[]): Promise<Server> {
    const [port, dataDir] = [await freePort(), await newFolder()]
    const config = join(dataDir, 'platewatch.toml')
    await writeFile(config, '')
    const server = new Server(port, dataDir, ['serve', '--config', config], {
      PLATEWATCH__DATA_DIR: join(dataDir, 'data'),
      PLATEWATCH__SOURCE__KIND: 'capture',
      PLATEWATCH__SOURCE__FILES: '["-"]',
      PLATEWATCH__API__LISTEN: `127.0.0.1:${port}`,
    })
    await server.start(lines)
    return server
  }

  /** Writes records to its standard input. */
  async feed(lines: readonly string[]): Promise<void> {
    const input = this.child?.stdin
    if (lines.length > 0 && input && !input.write(`${lines.join('\n')}\n`)) await once(input, 'drain')
  }

  async start(lines: readonly string[] = []): Promise<void> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it, or set PLATEWATCH_BINARY`)
    const env = { ...process.env, ...this.env }
    const child = spawn(BINARY, this.args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-20_000)
      })
    }
    await this.feed(lines)
    await until('the program reaches the present', async () => {
      if (child.exitCode !== null) throw new Error(`the program has ended:\n${this.output}`)
      const status = (await (await fetch(`${this.url}/api/status`)).json()) as { data: { lag_seconds: number | null } }
      return (status.data.lag_seconds ?? Infinity) <= 5
    }, START_DEADLINE_MS)
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

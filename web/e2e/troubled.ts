/** An appliance that has trouble: some of its lines are no records, and its mirrors cannot be reached. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { BINARY, freePort, until } from './server'

const GOOD = 400
/** Lines by the reason for which they are rejected. */
export const BAD = { invalid_gcsj: 3, wrong_column_count: 2, empty_gcxh: 1 }
export const EXPORT_LIMIT = 100

function passage(number: number): string[] {
  const second = String(number % 60).padStart(2, '0')
  const minute = String(Math.floor(number / 60)).padStart(2, '0')
  return [`E2E${number}`, '邳州市', 'S250_Pizhou_Sulu', '1', `2024-01-01 08:${minute}:${second}`, '02', `苏C${10_000 + number}`, '大众牌-朗逸-2015']
}

function lines(): string[] {
  const good = Array.from({ length: GOOD }, (_, number) => passage(number))
  const bad = [
    ...[1, 2, 3].map((number) => passage(GOOD + number).with(4, '2024-13-45 00:00:00')),
    passage(GOOD + 4).slice(0, 6),
    // What would act if it were not shown as text.
    ['<img src=x onerror=alert(1)>', '邳州市'],
    passage(GOOD + 6).with(0, ''),
  ]
  return [...good, ...bad].map((fields) => fields.join('\t'))
}

export async function troubled(): Promise<{ url: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'platewatch-e2e-trouble-'))
  const [port, mysql0, mysql1, redis] = [await freePort(), await freePort(), await freePort(), await freePort()]
  await writeFile(join(folder, 'capture.tsv'), lines().join('\n') + '\n')
  await writeFile(
    join(folder, 'config.toml'),
    `data_dir = ${JSON.stringify(join(folder, 'data'))}
[source]
kind = "capture"
files = [${JSON.stringify(join(folder, 'capture.tsv'))}]
[api]
listen = "127.0.0.1:${port}"
export_max_rows = ${EXPORT_LIMIT}
[mycat]
urls = ["mysql://127.0.0.1:${mysql0}/traffic_db", "mysql://127.0.0.1:${mysql1}/traffic_db"]
user = "nobody"
[redis]
url = "redis://127.0.0.1:${redis}"
`,
  )
  const child = spawn(BINARY, ['serve', '--config', join(folder, 'config.toml')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000)
  })
  const url = `http://127.0.0.1:${port}`
  const remove = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    if (child.exitCode === null && child.kill('SIGTERM')) await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await until('the capture is read', async () => {
      if (child.exitCode !== null) return true
      const status = (await (await fetch(`${url}/api/status`)).json()) as { data: { source: { state: string } } }
      return status.data.source.state === 'finished'
    })
    if (child.exitCode !== null) throw new Error(`the server has ended:\n${output}`)
  } catch (error) {
    await remove()
    throw error
  }
  return { url, remove }
}

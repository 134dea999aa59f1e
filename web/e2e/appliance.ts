/** The real program with a configuration and files of its own, that has read all that there is to read. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { BINARY, freePort, until } from './server'

export interface Appliance {
  url: string
  dataDir: string
  remove: () => Promise<void>
}

/** Serves `lines` as a capture file, or nothing without them. `more` are further sections of the configuration; `api` is added to [api]. It listens on `host`. */
export async function appliance(lines: readonly string[], more = '', api = '', host = '127.0.0.1'): Promise<Appliance> {
  const folder = await mkdtemp(join(tmpdir(), 'platewatch-e2e-'))
  const port = await freePort()
  const capture = join(folder, 'capture.tsv')
  await writeFile(capture, `${lines.join('\n')}\n`)
  const source = lines.length > 0 ? `kind = "capture"\nfiles = [${JSON.stringify(capture)}]` : 'kind = "none"'
  const text = `data_dir = ${JSON.stringify(join(folder, 'data'))}\n[source]\n${source}\n[api]\nlisten = "${host}:${port}"\n${api}\n${more}\n`
  await writeFile(join(folder, 'config.toml'), text)
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
  return { url, dataDir: join(folder, 'data'), remove }
}

/** A line of a capture. */
export function passage(gcxh: string, kkmc: string, gcsj: string, hphm: string): string {
  return [gcxh, '邳州市', kkmc, '1', gcsj, '02', hphm, '大众牌-朗逸-2015'].join('\t')
}

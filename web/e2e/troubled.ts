/** An appliance that has trouble: some of its lines are no records, and its mirrors cannot be reached. */
import { type Appliance, appliance, passage } from './appliance'
import { freePort } from './server'

const GOOD = 400
/** Lines by the reason for which they are rejected. */
export const BAD = { invalid_gcsj: 3, wrong_column_count: 2, empty_gcxh: 1 }
export const EXPORT_LIMIT = 100

function numbered(number: number): string[] {
  const second = String(number % 60).padStart(2, '0')
  const minute = String(Math.floor(number / 60)).padStart(2, '0')
  return passage(`E2E${number}`, 'S250_Pizhou_Sulu', `2024-01-01 08:${minute}:${second}`, `苏C${10_000 + number}`).split('\t')
}

function lines(): string[] {
  const good = Array.from({ length: GOOD }, (_, number) => numbered(number))
  const bad = [
    ...[1, 2, 3].map((number) => numbered(GOOD + number).with(4, '2024-13-45 00:00:00')),
    numbered(GOOD + 4).slice(0, 6),
    // What would act if it were not shown as text.
    ['<img src=x onerror=alert(1)>', '邳州市'],
    numbered(GOOD + 6).with(0, ''),
  ]
  return [...good, ...bad].map((fields) => fields.join('\t'))
}

export async function troubled(): Promise<Appliance> {
  const [mysql0, mysql1, redis] = [await freePort(), await freePort(), await freePort()]
  return appliance(
    lines(),
    `[mycat]
urls = ["mysql://127.0.0.1:${mysql0}/traffic_db", "mysql://127.0.0.1:${mysql1}/traffic_db"]
user = "nobody"
[redis]
url = "redis://127.0.0.1:${redis}"`,
    `export_max_rows = ${EXPORT_LIMIT}`,
  )
}

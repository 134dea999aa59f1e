/**
 * What the storage says about damage in a sentence without a code, taken apart, so that the page can say it in its own
 * language. A sentence that does not read like this is null: then it is shown as it is.
 */

export interface LossPart {
  /** Which kind of data is missing; `system.loss` has a text for each. */
  key: 'passages' | 'rows' | 'holes' | 'alerts' | 'rejects' | 'work' | 'uncounted'
  /** Whole numbers are numbers, so that they are formatted. */
  values: Record<string, string | number>
}

export interface Loss {
  parts: LossPart[]
  /** How it was noticed; `less`, or words. */
  cause: string
}

/** The parts of a loss, as `src/store/write/loss.rs` words them; a group without digits alone stays text. */
const PARTS: readonly (readonly [LossPart['key'], RegExp])[] = [
  ['passages', /^(?<missing>\d+) of (?<all>\d+) passages \((?<rows>[^;]*); newest passage time known (?<known>[^,]+), held (?<held>[^)]+)\)/],
  ['holes', /^(?<count>\d+) passages in the middle of the log/],
  ['alerts', /^alerts (?<first>\d+) to (?<last>\d+)/],
  ['rejects', /^rejected lines (?<first>\d+) to (?<last>\d+)/],
  ['work', /^(?<missing>\d+) of (?<all>\d+) changes of the work on alerts/],
  ['uncounted', /^nothing that is counted/],
]
const ROWS = /rows (?<first>\d+) to (?<last>\d+) of shard (?<shard>\d+)/g
const LESS = 'it holds less than was committed'

function valuesOf(groups: Record<string, string> = {}): LossPart['values'] {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value]))
}

function partAt(text: string): { parts: LossPart[]; length: number } | null {
  for (const [key, pattern] of PARTS) {
    const found = pattern.exec(text)
    if (!found) continue
    const { rows = '', ...values } = found.groups ?? {}
    const shards = [...rows.matchAll(ROWS)].map(({ groups }): LossPart => ({ key: 'rows', values: valuesOf(groups) }))
    const none = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === 'none' ? '' : value]))
    return { parts: [{ key, values: valuesOf(none) }, ...shards], length: found[0].length }
  }
  return null
}

/** `storage.accepted_loss` of the status. */
export function readLoss(text: string): Loss | null {
  const parts: LossPart[] = []
  let rest = text
  for (;;) {
    const part = partAt(rest)
    if (!part) return null
    parts.push(...part.parts)
    rest = rest.slice(part.length)
    if (!rest.startsWith(', ')) break
    rest = rest.slice(2)
  }
  const cause = /^ \((.+)\)$/s.exec(rest)?.[1]
  return cause === undefined ? null : { parts, cause: cause === LESS ? 'less' : cause }
}

const DAMAGE = /^(?<what>.+) in data directory (?<path>.+) is damaged \((?<detail>.+)\): restore the directory from a backup or replay into a new one$/s

/** What is damaged, and in which data directory; a failure that says so needs a backup, not a restart. */
export function readDamage(text: string): { what: string; path: string; detail: string } | null {
  const { what, path, detail } = DAMAGE.exec(text)?.groups ?? {}
  return what && path && detail ? { what, path, detail } : null
}

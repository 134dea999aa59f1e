/**
 * The faults of an appliance, worst first, derived from its status alone. Each has the key of a text that says what happened
 * and what to do; its values are raw and formatted where they are shown.
 */
import type { Loss, Notice, Status } from '@/api/types'
import type { Gravity } from '@/lib/gravity'

/** The stage of the pipeline. */
export type Place = 'source' | 'parse' | 'route' | 'detect' | 'commit' | 'mirrors' | 'serve'

export interface Fault {
  key: string
  gravity: Gravity
  place: Place
  /** `seconds…` is shown as a span, any other number as an integer, a notice or a loss in the language in use, a list with its commas. */
  values: Record<string, string | number | readonly string[] | Notice | Loss | null>
  /** The page that shows more. */
  page?: 'cameras'
  /** Distinguishes two faults of one kind. */
  of?: string
}

/** Data older than this is reported. */
export const LAG_SECONDS = 30
/** Shares of the lines above which a warning is shown. */
export const REJECTED_SHARE = 0.01
export const LATE_SHARE = 0.01
/** A mirror that lags more than this in event time is slow, not just busy. */
export const MIRROR_LAG_SECONDS = 60
/** Maximum number of checkpoints with a wrong clock that are named. */
const NAMED_CLOCKS = 3

function sourceFaults({ source }: Status): Fault[] {
  const faults: Fault[] = []
  const { kafka } = source
  if (source.state === 'failed') faults.push({ key: 'sourceFailed', gravity: 'bad', place: 'source', values: {} })
  if (source.state === 'ended') faults.push({ key: 'sourceEnded', gravity: 'bad', place: 'source', values: {} })
  if (source.state === 'away') {
    const values = { since: kafka?.away_since ?? '', brokers: kafka?.brokers ?? '', error: kafka?.last_error_notice ?? null }
    faults.push({ key: 'sourceAway', gravity: 'bad', place: 'source', values })
  } else if (kafka?.last_error_notice) {
    faults.push({ key: 'kafkaError', gravity: 'warn', place: 'source', values: { error: kafka.last_error_notice } })
  }
  if (kafka && kafka.gaps > 0) {
    faults.push({ key: 'gaps', gravity: 'warn', place: 'source', values: { gaps: kafka.gaps, records: kafka.missing_records } })
  }
  if (kafka?.advice_notice) {
    faults.push({ key: 'kafkaAdvice', gravity: 'warn', place: 'source', values: { advice: kafka.advice_notice } })
  }
  for (const { name, address, connected, away_since, last_error_notice } of source.feeds) {
    // Until something is known to be wrong, it is still connecting.
    if (connected || !last_error_notice) continue
    const values = { name, address, since: away_since ?? '', error: last_error_notice }
    faults.push({ key: 'feedAway', gravity: 'bad', place: 'source', of: address, values })
  }
  if (source.kind === 'none') faults.push({ key: 'sourceNone', gravity: 'note', place: 'source', values: {} })
  if (source.state === 'finished' && source.kind === 'capture') faults.push({ key: 'sourceFinished', gravity: 'note', place: 'source', values: {} })
  return faults
}

function pipelineFaults(status: Status): Fault[] {
  const faults: Fault[] = []
  const { pipeline, source } = status
  const { rejected, lines, late, accepted } = pipeline
  const flowing = source.state === 'running'
  const full = pipeline.queue_limit > 0 && pipeline.queued_batches >= pipeline.queue_limit
  if (flowing && (status.lag_seconds ?? 0) > LAG_SECONDS) {
    const values = { seconds: status.lag_seconds ?? 0 }
    if (full) faults.push({ key: 'lagWriter', gravity: 'warn', place: 'commit', values })
    else if (pipeline.records_per_second > 0) faults.push({ key: 'lagCatchingUp', gravity: 'warn', place: 'source', values })
    else faults.push({ key: 'lagSilent', gravity: 'warn', place: 'source', values })
  }
  if (rejected.total > lines * REJECTED_SHARE) {
    faults.push({ key: 'rejected', gravity: 'warn', place: 'parse', values: { count: rejected.total, share: rejected.total / lines } })
  } else if (rejected.total > 0) {
    faults.push({ key: 'rejectedFew', gravity: 'note', place: 'parse', values: { count: rejected.total } })
  }
  if (accepted > 0 && late > accepted * LATE_SHARE) {
    faults.push({ key: 'late', gravity: 'warn', place: 'detect', values: { count: late, share: late / accepted } })
  }
  return faults
}

function storageFaults({ storage }: Status): Fault[] {
  const faults: Fault[] = []
  const { accepted_loss_notice, checkpoints } = storage
  if (accepted_loss_notice) {
    faults.push({ key: 'acceptedLoss', gravity: 'bad', place: 'commit', values: { missing: accepted_loss_notice } })
  }
  for (const announced of storage.retention_announced) {
    const { what, count, from, to, retention_seconds, not_before } = announced
    const values = { count, from, to, seconds: retention_seconds, time: not_before }
    faults.push({ key: `announced_${what}`, gravity: 'warn', place: 'commit', values })
  }
  if (checkpoints.lost) faults.push({ key: 'checkpointsLost', gravity: 'warn', place: 'commit', values: {} })
  if (checkpoints.restored) {
    const values = { count: checkpoints.count, source: checkpoints.source ?? '' }
    faults.push({ key: 'checkpointsRestored', gravity: 'note', place: 'commit', values })
  }
  return faults
}

/** Clocks that differ, on which detection depends. */
function clockFaults({ detection }: Status): Fault[] {
  const wrong = (detection?.checkpoints ?? []).filter(({ advice }) => advice)
  if (wrong.length === 0) return []
  const names = wrong.slice(0, NAMED_CLOCKS).map(({ label }) => label)
  const values = { count: wrong.length, names: [...names, ...(wrong.length > names.length ? ['…'] : [])] }
  return [{ key: 'clocks', gravity: 'warn', place: 'detect', values }]
}

/** Cameras that must be repaired. */
function cameraFaults({ cameras }: Status): Fault[] {
  if (!cameras || cameras.bad === 0) return []
  return [{ key: 'cameras', gravity: 'warn', place: 'detect', page: 'cameras', values: { count: cameras.bad } }]
}

function mirrorFaults(status: Status): Fault[] {
  return status.mirrors.flatMap((mirror) => {
    const { name, target, lag_rows, lag_seconds, away_since, last_error_notice, refused, lost, warnings, state } = mirror
    const common = { place: 'mirrors', of: name } as const
    const values = { name, target, rows: lag_rows, since: away_since ?? '', error: last_error_notice ?? null }
    const faults: Fault[] = []
    if (state === 'blocked') faults.push({ ...common, key: 'mirrorBlocked', gravity: 'bad', values })
    else if (state === 'away') faults.push({ ...common, key: 'mirrorAway', gravity: 'bad', values })
    // Rows that wait for a file of the lake are no fault.
    else if (lag_seconds > MIRROR_LAG_SECONDS && !name.startsWith('lake/')) {
      faults.push({ ...common, key: 'mirrorSlow', gravity: 'warn', values: { ...values, seconds: lag_seconds } })
    }
    if (lost > 0) faults.push({ ...common, key: 'mirrorLost', gravity: 'bad', values: { name, count: lost } })
    if (refused > 0) faults.push({ ...common, key: 'mirrorRefused', gravity: 'warn', values: { name, count: refused } })
    if (warnings > 0) faults.push({ ...common, key: 'mirrorWarnings', gravity: 'warn', values: { name, count: warnings } })
    return faults
  })
}

function modelFaults(status: Status): Fault[] {
  const { model } = status
  const faults: Fault[] = []
  const common = { gravity: 'warn', place: 'serve' } as const
  if (model.problem_notice) faults.push({ ...common, key: 'modelProblem', values: { problem: model.problem_notice } })
  if (model.training_failure_notice) {
    faults.push({ ...common, key: 'modelTraining', values: { reason: model.training_failure_notice } })
  }
  return faults
}

/** No record has arrived yet, so the state is unknown. */
export function isEmpty(status: Status): boolean {
  return status.newest_gcsj == null
}

/** In the role `api` all data comes from other servers. */
export function readsElsewhere(status: Status): boolean {
  return status.role === 'api'
}

const ORDER: readonly Gravity[] = ['bad', 'warn', 'note']

/** Faults of the servers that this process reads from; it has no intake and no storage. */
function backendFaults({ backends }: Status): Fault[] {
  const troubled = backends.filter(({ state }) => state === 'away' || state === 'blocked')
  return troubled.map(({ name, address, state, away_since, last_error_notice }) => {
    const values = { name, address, since: away_since ?? '', error: last_error_notice ?? null }
    return { key: state === 'away' ? 'backendAway' : 'backendBlocked', gravity: 'bad', place: 'serve', of: address, values }
  })
}

function faultsElsewhere(status: Status): Fault[] {
  const faults = [...backendFaults(status), ...modelFaults(status)]
  // While a server is away it is not known whether there is data.
  if (isEmpty(status) && !status.failure) faults.push({ key: 'empty', gravity: 'note', place: 'serve', values: {} })
  return faults
}

export function faultsOf(status: Status): Fault[] {
  if (readsElsewhere(status)) return faultsElsewhere(status)
  const faults: Fault[] = []
  for (const [index, reason] of status.failure_notices.entries()) {
    const key = reason.code === 'directory_damaged' ? 'damaged' : 'stopped'
    faults.push({ key, gravity: 'bad', place: 'commit', of: String(index), values: { reason } })
  }
  if (isEmpty(status)) faults.push({ key: 'empty', gravity: 'note', place: 'commit', values: {} })
  faults.push(...sourceFaults(status), ...pipelineFaults(status), ...clockFaults(status), ...cameraFaults(status), ...storageFaults(status))
  faults.push(...mirrorFaults(status), ...modelFaults(status))
  return faults.sort((a, b) => ORDER.indexOf(a.gravity) - ORDER.indexOf(b.gravity))
}

/** The worst fault at a stage. */
export function gravityAt(faults: readonly Fault[], place: Place, of?: string): Gravity | null {
  return faults.find((fault) => fault.place === place && (of === undefined || fault.of === of))?.gravity ?? null
}

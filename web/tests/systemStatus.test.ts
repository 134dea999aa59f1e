import { describe, expect, test } from 'vitest'

import type { MirrorStatus } from '@/api/system'
import type { BackendState, Notice, NoticeCode, Status } from '@/api/types'
import zh from '@/i18n/system.zh'
import { faultsOf, gravityAt } from '@/views/system/faults'
import { minutesShown } from '@/views/system/rateCurve'
import { KEPT, rateOf, type Reading, readingOf, remember } from '@/views/system/rates'
import { withTabs } from '@/views/system/rejectText'

type Kafka = NonNullable<Status['source']['kafka']>

const notice = (text: string, code: NoticeCode = 'other'): Notice => ({ code, values: { error: text }, cause: null, text })

const WELL = {
  failure: null,
  failure_notices: [],
  newest_gcsj: '2024-01-01 00:00:00',
  uptime_seconds: 60,
  lag_seconds: 1,
  source: { kind: 'simulator', state: 'running', kafka: null, feeds: [], partitions: [] },
  pipeline: {
    lines: 1000, accepted: 1000, rejected: { total: 0, by_reason: {} }, late: 0, alerts: 3, commits: 9,
    by_shard: [600, 400], records_per_second: 50, queued_batches: 0, queue_limit: 4,
  },
  mirrors: [],
  storage: { accepted_loss: null, accepted_loss_notice: null, retention_announced: [], checkpoints: { count: 19, lost: false, restored: false, source: null } },
  model: { training: false, history_hours: 0 },
} as unknown as Status

const feed = (connected: boolean): Status['source']['feeds'][number] => ({
  name: 'MQTT', address: 'mqtt://gate:1883', connected, away_since: connected ? null : 'x', last_error: null,
  last_error_notice: connected ? null : notice('x'),
})
const KAFKA = { gaps: 0, missing_records: 0, advice_notice: null, last_error_notice: null, away_since: null, brokers: 'b:9092' } as unknown as Kafka
const MIRROR: MirrorStatus = {
  name: 'mysql/0', target: 'mysql://db/x', state: 'level', cursor: 10, lag_rows: 0, lag_seconds: 0, last_error: null, last_error_notice: null,
  last_error_at: null, away_since: null, sent: 10, failures: 0, refused: 0, recently_refused: [], lost: 0, refilled: 0, warnings: 0,
}

interface Changes {
  status?: Partial<Status>
  source?: Partial<Status['source']>
  pipeline?: Partial<Status['pipeline']>
  kafka?: Partial<Kafka>
  mirror?: Partial<MirrorStatus>
}

function status({ status = {}, source = {}, pipeline = {}, kafka, mirror }: Changes): Status {
  return {
    ...WELL,
    ...status,
    source: { ...WELL.source, ...(kafka ? { kind: 'kafka', kafka: { ...KAFKA, ...kafka } } : {}), ...source },
    pipeline: { ...WELL.pipeline, ...pipeline },
    mirrors: mirror ? [{ ...MIRROR, ...mirror }] : [],
  }
}

/** As a process of the role `api` says it is. */
const elsewhere = (state: BackendState): Partial<Status> => ({
  role: 'api',
  newest_gcsj: state === 'up' ? '2024-01-01 00:00:00' : null,
  failure: state === 'up' ? null : 'x',
  failure_notices: state === 'up' ? [] : [notice('x')],
  source: { ...WELL.source, kind: 'none', state: 'finished' },
  backends: [{ name: 'MyCat', address: 'mysql://db:8066/MYETCDB', state, connected: state === 'up', away_since: null, last_error_notice: notice('x') }],
})
const full = { queued_batches: 4, queue_limit: 4 }
const CASES: [string, Changes, string[]][] = [
  ['all is well', {}, []],
  ['nothing has come yet', { status: { newest_gcsj: null } }, ['empty']],
  ['a mirror that is level', { mirror: {} }, []],
  ['Kafka as it should be', { kafka: {} }, []],
  ['intake has stopped', { status: { failure_notices: [notice('disk full')] } }, ['stopped']],
  ['the broker is away', { kafka: { away_since: 'x' }, source: { state: 'away' } }, ['sourceAway']],
  ['the source failed', { source: { state: 'failed' } }, ['sourceFailed']],
  ['the client complains', { kafka: { last_error_notice: notice('x') } }, ['kafkaError']],
  ['a broker of MQTT is connected', { source: { feeds: [feed(true)] } }, []],
  ['a broker of MQTT refuses us', { source: { feeds: [feed(false)] } }, ['feedAway']],
  ['records are missing', { kafka: { gaps: 1, missing_records: 5 } }, ['gaps']],
  ['the topic has no keys', { kafka: { advice_notice: notice('set keys') } }, ['kafkaAdvice']],
  ['data is damaged', { status: { failure_notices: [notice('the log in data directory /d is damaged (a segment is missing)', 'directory_damaged')] } }, ['damaged']],
  ['a loss was accepted', { status: { storage: { ...WELL.storage, accepted_loss_notice: { parts: [notice('alerts 1 to 2', 'lost_alerts')], cause: notice('CURRENT is missing') } } } }, ['acceptedLoss']],
  ['nothing is read', { source: { kind: 'none', state: 'finished' } }, ['sourceNone']],
  ['a capture was read', { source: { kind: 'capture', state: 'finished' }, status: { lag_seconds: 9999 } }, ['sourceFinished']],
  ['the disk is slow', { status: { lag_seconds: 60 }, pipeline: full }, ['lagWriter']],
  ['it catches up', { status: { lag_seconds: 60 } }, ['lagCatchingUp']],
  ['nothing comes', { status: { lag_seconds: 60 }, pipeline: { records_per_second: 0 } }, ['lagSilent']],
  ['a few rejects', { pipeline: { rejected: { total: 10, by_reason: {} } } }, ['rejectedFew']],
  ['many rejects', { pipeline: { rejected: { total: 11, by_reason: {} } } }, ['rejected']],
  ['many late ones', { pipeline: { late: 11 } }, ['late']],
  ['a clock is wrong', { status: { detection: { checkpoints: [{ label: 'A', advice: { code: 'clock_ahead', seconds: 300, text: '' } }] } as unknown as Status['detection'] } }, ['clocks']],
  ['cameras are bad', { status: { cameras: { ok: 9, doubtful: 1, bad: 2 } } }, ['cameras']],
  ['cameras are doubtful', { status: { cameras: { ok: 9, doubtful: 1, bad: 0 } } }, []],
  ['a mirror is away', { mirror: { state: 'away' } }, ['mirrorAway']],
  ['a mirror is blocked', { mirror: { state: 'blocked' } }, ['mirrorBlocked']],
  ['a mirror is slow', { mirror: { state: 'sending', lag_seconds: 61 } }, ['mirrorSlow']],
  ['the model is broken', { status: { model: { problem_notice: notice('x'), training_failure_notice: notice('y') } as unknown as Status['model'] } }, ['modelProblem', 'modelTraining']],
  ['it answers from other servers', { status: elsewhere('up') }, []],
  ['a server that it answers from is away', { status: elsewhere('away') }, ['backendAway']],
  ['a server that it answers from refuses', { status: elsewhere('blocked') }, ['backendBlocked']],
  ['a mirror lost, refused and changed rows', { mirror: { lost: 1, refused: 1, warnings: 1 } }, ['mirrorLost', 'mirrorRefused', 'mirrorWarnings']],
]

describe('faults', () => {
  test.each(CASES)('%s', (_, changes, keys) => {
    expect(faultsOf(status(changes)).map(({ key }) => key)).toEqual(keys)
  })

  test('each has words for what happened and what to do, with values for all that they name', () => {
    for (const fault of CASES.flatMap(([, changes]) => faultsOf(status(changes)))) {
      const words = (zh.fault as Record<string, { title: string; todo: string }>)[fault.key]
      expect(words, fault.key).toBeDefined()
      const named = [...`${words?.title} ${words?.todo}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(Object.keys(fault.values), fault.key).toEqual(expect.arrayContaining(named))
    }
  })

  test('the worst come first, and stand at their place on the road', () => {
    const faults = faultsOf(status({ pipeline: { rejected: { total: 1, by_reason: {} } }, mirror: { state: 'away' } }))
    expect(faults.map(({ gravity }) => gravity)).toEqual(['bad', 'note'])
    expect(gravityAt(faults, 'parse')).toBe('note')
    expect(gravityAt(faults, 'mirrors', 'mysql/0')).toBe('bad')
    expect(gravityAt(faults, 'mirrors', 'redis')).toBeNull()
  })
})

describe('rates', () => {
  const at = (seconds: number, accepted: number, uptime = seconds): Reading =>
    readingOf(status({ status: { uptime_seconds: uptime }, pipeline: { accepted } }), seconds * 1000)

  test('are the growth over the last ten seconds', () => {
    const readings = [at(0, 0), at(20, 1000), at(25, 1100), at(30, 1300)].reduce<Reading[]>(remember, [])
    expect(rateOf(readings, 'accepted')).toBe(30)
    expect(rateOf(readings, 'alerts')).toBe(0)
  })

  test('are not known after one reading, nor of a counter that is new', () => {
    expect(rateOf([at(0, 5)], 'accepted')).toBeNull()
    expect(rateOf([at(0, 5), at(2, 6)], 'mirror redis')).toBeNull()
  })

  test('begin anew with the process, and stay bounded', () => {
    expect(remember([at(0, 5, 100), at(2, 6, 102)], at(4, 6, 1))).toHaveLength(1)
    const many = Array.from({ length: KEPT + 50 }, (_, index) => at(index + 1, index)).reduce<Reading[]>(remember, [])
    expect(many).toHaveLength(KEPT)
  })

  test('the same answer is read once', () => {
    expect(remember([at(1, 5)], at(1, 5))).toHaveLength(1)
  })

  test('the curve shows what there is', () => {
    expect([[], [at(0, 0), at(30, 0)], [at(0, 0), at(90, 0)], [at(0, 0), at(590, 0)]].map(minutesShown)).toEqual([1, 1, 2, 10])
  })
})

test('tabs of a rejected line part its fields, and a backslash that was there stays', () => {
  expect(withTabs('a\\u{9}b\\u{9}')).toEqual(['a', 'b', ''])
  expect(withTabs('a\\\\u{9}b\\xff')).toEqual(['a\\\\u{9}b\\xff'])
})

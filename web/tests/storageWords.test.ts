import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { readDamage, readLoss } from '@/lib/storageWords'

const PASSAGES = '900 of 60000 passages (rows 36000 to 36602 of shard 0, rows 23100 to 23396 of shard 1; newest passage time known 2024-01-01 09:11:48, held none)'

describe('an accepted loss', () => {
  test('is taken apart', () => {
    expect(readLoss(`${PASSAGES}, alerts 1 to 271, rejected lines 5 to 126, 2 of 3 changes of the work on alerts (the write-ahead log 000004.log is damaged at byte 360448: checksum mismatch)`)).toEqual({
      parts: [
        { key: 'passages', values: { missing: 900, all: 60000, known: '2024-01-01 09:11:48', held: '' } },
        { key: 'rows', values: { first: 36000, last: 36602, shard: 0 } },
        { key: 'rows', values: { first: 23100, last: 23396, shard: 1 } },
        { key: 'alerts', values: { first: 1, last: 271 } },
        { key: 'rejects', values: { first: 5, last: 126 } },
        { key: 'work', values: { missing: 2, all: 3 } },
      ],
      cause: 'the write-ahead log 000004.log is damaged at byte 360448: checksum mismatch',
    })
    expect(readLoss('7 passages in the middle of the log (it holds less than was committed)')).toEqual({
      parts: [{ key: 'holes', values: { count: 7 } }],
      cause: 'less',
    })
    expect(readLoss('nothing that is counted (CURRENT is missing)')).toEqual({ parts: [{ key: 'uncounted', values: {} }], cause: 'CURRENT is missing' })
  })

  test.each(['', 'passages', 'alerts 1 to 2', 'alerts 1 to 2, a moon (x)', `${PASSAGES} and more (x)`])('%j reads like none', (text) => {
    expect(readLoss(text)).toBeNull()
  })

  test('is worded by the storage as it is read here', () => {
    const source = readFileSync('../src/store/write/loss.rs', 'utf8')
    for (const words of [
      '"{} of {} passages ({}; newest passage time known {}, held {})"', '"rows {held} to {} of shard {shard}"', '"{what} {} to {known}"', '"alerts"', '"rejected lines"',
      '"{} of {changes} changes of the work on alerts"', '"{holes} passages in the middle of the log"', '"nothing that is counted"', '"it holds less than was committed"', '"{missing} ({cause})"',
    ]) {
      expect(source).toContain(words)
    }
  })
})

describe('damage', () => {
  const text = 'the log in data directory /var/lib/platewatch is damaged (a segment is missing): restore the directory from a backup or replay into a new one'

  test('is taken apart', () => {
    expect(readDamage(text)).toEqual({ what: 'the log', path: '/var/lib/platewatch', detail: 'a segment is missing' })
    expect(readDamage('the disk is full')).toBeNull()
  })

  test('is worded by the storage as it is read here', () => {
    expect(readFileSync('../storage/src/error.rs', 'utf8')).toContain(
      '{what} in data directory {path} is damaged ({detail}): restore the directory from a backup or replay into a new one',
    )
  })
})

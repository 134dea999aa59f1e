// @vitest-environment jsdom
import { readFileSync } from 'node:fs'

import { beforeEach, expect, test } from 'vitest'

import type { AlertReason } from '@/api/types'
import { locale, LOCALES } from '@/i18n'
import { useReasonText } from '@/views/warnings/useReasonText'

import { run } from './mount'

beforeEach(() => (locale.value = 'zh'))

/** A reason of each code, with every value that the description names. */
const REASONS: AlertReason[] = [
  { code: 'gap', seconds: 240, fastest_seconds: 1290.5 },
  { code: 'clock_correction', seconds: -95 },
  { code: 'contradictions', count: 3 },
  { code: 'second_car', sightings: 12, drives: 4 },
  { code: 'brand_differs', count: 5 },
  { code: 'neighbour_due', hphm: '苏C12346' },
  { code: 'other_plate_type', count: 2 },
]

test('every reason of the server is said, in both languages', async () => {
  const description = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as {
    components: { schemas: { AlertReason: { oneOf: { properties: { code: { enum: string[] } } }[] } } }
  }
  const codes = description.components.schemas.AlertReason.oneOf.flatMap(({ properties }) => properties.code.enum)
  expect(REASONS.map(({ code }) => code).sort()).toEqual(codes.sort())
  const { result } = await run(useReasonText)
  for (const language of LOCALES) {
    locale.value = language
    expect(REASONS.map(result.sayReason).filter((text) => text === '' || text.includes('{'))).toEqual([])
  }
})

test('a correction of the clocks has a direction, and none is not worth a word', async () => {
  const { result } = await run(useReasonText)
  expect([-95, 95, 0].map((seconds) => result.sayReason({ code: 'clock_correction', seconds }))).toEqual([
    '时钟校正使间隔缩短 1 分 35 秒',
    '时钟校正使间隔延长 1 分 35 秒',
    '',
  ])
})

// @vitest-environment jsdom
import { readFileSync } from 'node:fs'

import { beforeEach, expect, test } from 'vitest'

import type { Camera, CameraFault } from '@/api/types'
import { useCameraText } from '@/composables/useCameraText'
import { locale, LOCALES } from '@/i18n'
import { chosen, countsOf, sharesOf } from '@/lib/cameras'

import { run } from './mount'

beforeEach(() => (locale.value = 'zh'))

const SOUND: Camera = {
  kkmc: 'G3_Sulu', label: 'G3-苏鲁界', state: 'ok', findings: [], offset_seconds: 0.4, offset_error_seconds: 1, drift_seconds_per_day: null,
  accepted: 4000, late: 40, records: 1000, ahead: 5, compared: 800, contradicted: 2, unread: 250, unbranded: 20, doubles: 130,
  silent_since: null, silent_by_chance: null,
}
const finding = (code: CameraFault) => ({ code, text: `text of ${code}`, action: `action for ${code}` })

test('shares are of what they belong to, and of nothing there is none', () => {
  expect(sharesOf(SOUND)).toEqual({ late: 0.01, ahead: 0.005, unread: 0.2, unbranded: 0.02, doubles: 0.13, contradicted: 0.0025 })
  expect(sharesOf({ ...SOUND, accepted: 0, records: 0, unread: 0 })).toEqual({ late: null, ahead: null, unread: null, unbranded: null, doubles: null, contradicted: 0.0025 })
})

test('a state or a checkpoint is chosen, and an unknown state is none', () => {
  const cameras: Camera[] = [{ ...SOUND, kkmc: 'A', state: 'bad' }, { ...SOUND, kkmc: 'B', state: 'doubtful' }, { ...SOUND, kkmc: 'C' }]
  expect(countsOf(cameras)).toEqual({ bad: 1, doubtful: 1, ok: 1 })
  const names = (state: string, kkmc = '') => chosen(cameras, state, kkmc).map((camera) => camera.kkmc)
  expect(names('')).toEqual(['A', 'B', 'C'])
  expect(names('doubtful')).toEqual(['B'])
  expect(names('worse')).toEqual(['A', 'B', 'C'])
  expect(names('', 'C')).toEqual(['C'])
  expect(names('bad', 'C')).toEqual([])
})

test('every finding of the server is said with what to do, in both languages', async () => {
  const description = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as { components: { schemas: { CameraFault: { enum: CameraFault[] } } } }
  const codes = description.components.schemas.CameraFault.enum
  expect(codes.length).toBeGreaterThan(5)
  const { result } = await run(useCameraText)
  const odd = { ...SOUND, offset_seconds: -950, drift_seconds_per_day: 547, silent_since: '2024-01-01 08:00:00' }
  for (const language of LOCALES) {
    locale.value = language
    for (const code of codes) {
      const { text, action } = result.sayFinding(odd, finding(code))
      expect([text, action].filter((said) => said === '' || said.includes('{') || /^(text of|action for) /.test(said))).toEqual([])
    }
  }
})

test('clocks are fast or slow, and a finding that the page does not know is said in the words of the server', async () => {
  const { result } = await run(useCameraText)
  const odd = { ...SOUND, offset_seconds: -950, drift_seconds_per_day: 547 }
  expect(result.sayFinding(odd, finding('offset')).text).toBe('时钟慢 15 分 50 秒')
  expect(result.sayFinding(odd, finding('drifts')).text).toBe('时钟每天快 9 分 7 秒')
  expect(result.sayFinding(odd, finding('doubles')).text).toBe('13% 的记录是一分钟内对同一车辆的重复抓拍')
  const unknown = finding('melts' as CameraFault)
  expect(result.sayFinding(odd, unknown)).toEqual({ text: 'text of melts', action: 'action for melts' })
})

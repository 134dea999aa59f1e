/** Short names for the shapes of the API's description. */
import type { DataOf } from './client'
import type { components } from './schema'

type Schemas = components['schemas']

export type Overview = DataOf<'/api/overview'>
export type Status = DataOf<'/api/status'>
export type Checkpoint = DataOf<'/api/checkpoints'>[number]
export type CheckpointCount = DataOf<'/api/stats/kkmc_count'>[number]
export type NamedCount = DataOf<'/api/stats/map_data'>[number]
export type HourCounts = DataOf<'/api/stats/hour_count'>
export type Warning = DataOf<'/api/warnings/realtime'>[number]
export type WarningRecord = DataOf<'/api/warnings'>['records'][number]
export type Track = DataOf<'/api/track'>
export type Hop = Schemas['Hop']
export type Passage = Track['records'][number]
export type PassagePage = Schemas['PassagePage']
export type QueryBody = Schemas['Query']

export type Severity = 'high' | 'medium' | 'low'

/** A span of civil time, both ends included. */
export interface TimeSpan {
  start?: string
  end?: string
}

export type AlertDetail = DataOf<'/api/warnings/{id}'>
export type SightingPlace = Schemas['SightingPlace']
export type WorkEntry = Schemas['WorkEntry']
export type WorkChange = Schemas['WorkChange']
/** States of the work on an alert, in their order. */
export const WORK_STATUSES = ['new', 'investigating', 'confirmed', 'dismissed'] as const

/** A sentence of the server: its code and values, and the sentence in English. */
export type Notice = Schemas['Notice']
export type NoticeCode = Schemas['NoticeCode']
export type NoticeCause = Schemas['NoticeCause']

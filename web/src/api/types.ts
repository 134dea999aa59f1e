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
export type WarningPage = DataOf<'/api/warnings'>
export type Track = DataOf<'/api/track'>
export type Passage = Track['records'][number]
export type PassagePage = Schemas['PassagePage']
export type QueryBody = Schemas['Query']

export type Severity = 'high' | 'medium' | 'low'

/** A span of civil time, both ends included. */
export interface TimeSpan {
  start?: string
  end?: string
}

export type WorkStatus = 'new' | 'investigating' | 'confirmed' | 'dismissed'
export const WORK_STATUSES: readonly WorkStatus[] = ['new', 'investigating', 'confirmed', 'dismissed']

export interface SightingPlace {
  kkmc: string
  code: string | null
  label: string
  xzqhmc: string | null
  road: string | null
  lon: number | null
  lat: number | null
}

export interface WorkEntry {
  at: string
  by: string
  from: WorkStatus
  to: WorkStatus
  note: string
}

export type AlertDetail = Warning & {
  prev: SightingPlace
  curr: SightingPlace
  status: WorkStatus
  version: number
  allowed: WorkStatus[]
  history: WorkEntry[]
}

export interface WorkChange {
  status?: WorkStatus
  note?: string
  by: string
  version?: number
}

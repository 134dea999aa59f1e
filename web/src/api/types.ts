/** Short names for the types of the OpenAPI document. */
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

/** A span of civil time, both ends included. */
export interface TimeSpan {
  start?: string
  end?: string
}

export type AlertDetail = DataOf<'/api/warnings/{id}'>
export type SightingPlace = Schemas['SightingPlace']
export type WorkEntry = Schemas['WorkEntry']
export type WorkReason = Schemas['WorkReason']
/** A change of the work; an empty reason is none. A session names who makes it; without one, `by` does. */
export type WorkChange = Omit<Schemas['WorkChange'], 'reason' | 'by'> & { reason?: WorkReason; by?: string }

export type Case = Schemas['Case']
/** A case in a list. */
export type CaseBrief = Schemas['CaseBrief']
export type CaseDetail = DataOf<'/api/cases/{id}'>
export type CaseCar = Schemas['CaseCar']
export type CasePair = Schemas['CasePair']
export type CaseSighting = Schemas['CaseSighting']
export type CaseCount = Schemas['CaseCount']
export type CaseTimes = Schemas['CaseTimes']
export type CaseExplanations = Schemas['CaseExplanations']
export type AlertCause = Schemas['AlertCause']
export type AlertReason = Schemas['AlertReason']

export type Camera = Schemas['Camera']
export type CameraFault = Schemas['CameraFault']
export type CameraHealth = Schemas['CameraHealth']
export type CameraList = Schemas['CameraList']

export type Road = Schemas['Road']
export type RoadList = DataOf<'/api/roads'>
export type RoadHours = DataOf<'/api/roads/hours'>
export type RoadLevel = Schemas['RoadLevel']
export type RoadBasis = Schemas['RoadBasis']

export type Severity = Schemas['Severity']
export type Rule = Schemas['Rule']
export type WorkStatus = Schemas['WorkStatus']
export type VehicleType = Schemas['VehicleType']
export type FuelType = Schemas['FuelType']
/** Which passages come first; those of one second always by GCXH. */
export type Order = Exclude<NonNullable<QueryBody['order']>, ''>
export type RejectReason = Schemas['RejectReason']
export type SourceKind = Schemas['SourceKind']
export type SourceState = Schemas['SourceState']
export type BackendState = Schemas['BackendState']
export type MirrorState = Schemas['MirrorState']
export type KafkaGapCause = Schemas['KafkaGapCause']
export type ClockAdviceCode = Schemas['ClockAdviceCode']
export type FlowBasis = Schemas['FlowBasis']
export type FlowModelKind = Schemas['FlowModelKind']
export type Retained = Schemas['Retained']

/** The values of a union in the order of its map, which its type forces to name them all. */
const valuesOf = <T extends string>(all: Record<T, true>) => Object.keys(all) as T[]

export const SEVERITIES = valuesOf<Severity>({ high: true, medium: true, low: true })
export const RULES = valuesOf<Rule>({ window: true, speed: true })
export const WORK_STATUSES = valuesOf<WorkStatus>({ new: true, investigating: true, confirmed: true, dismissed: true })
export const WORK_REASONS = valuesOf<WorkReason>({
  stopped: true, photos: true, owner: true, misread: true, clock: true, plate_types: true, fast: true, other: true,
})
/** States of a camera, the worst first. */
export const CAMERA_STATES = valuesOf<CameraHealth>({ bad: true, doubtful: true, ok: true })
/** The explanations of a case, the one that matters first. */
export const EXPLANATIONS = valuesOf<keyof CaseExplanations>({ clone: true, misread: true, clock: true, plate_types: true, fast: true })
/** How a segment flows, the best first. */
export const ROAD_LEVELS = valuesOf<RoadLevel>({ free: true, mostly_free: true, light: true, moderate: true, severe: true })
export const VEHICLE_TYPES = valuesOf<VehicleType>({ 小型客车: true, 大型客车: true, 货车: true, 其他: true })
export const FUEL_TYPES = valuesOf<FuelType>({ 燃油: true, 新能源: true })
/** Reasons to look at plates. */
export const PURPOSES = valuesOf<PurposeCode>({
  warning: true, case: true, accident: true, complaint: true, patrol: true, maintenance: true, test: true, other: true,
})
export const AUDIT_ACTIONS = valuesOf<AuditAction>({
  query: true, export: true, export_end: true, track: true, warning: true, case: true, work_warning: true, work_case: true, rejects: true, ingest: true,
  list_warnings: true, list_cases: true, stream: true, refused: true,
  login: true, login_failed: true, logout: true, password: true, session_ended: true,
  user_add: true, user_roles: true, user_scope: true, user_shown: true, user_disable: true, user_enable: true, user_password: true, token_add: true, token_revoke: true,
  audit: true, verified: true, retention: true, erase: true, forget: true, backup: true, restore: true, recovered: true,
})
/** Roles of users, those that see least first. */
export const USER_ROLES = valuesOf<UserRole>({ viewer: true, operator: true, supervisor: true, auditor: true, admin: true })
export const PERMISSIONS = valuesOf<Permission>({
  dashboard: true, plates: true, work: true, export: true, rejects: true, audit: true, users: true, metrics: true, ingest: true,
})

/** Why a request was not answered: its reason and values, and the sentence in English. */
export type ErrorBody = Schemas['Error']
export type ErrorReason = Schemas['ErrorReason']
/** A loss of committed data. */
export type Loss = Schemas['Loss']

/** A sentence of the server: its code and values, and the sentence in English. */
export type Notice = Schemas['Notice']
export type NoticeCode = Schemas['NoticeCode']
export type NoticeCause = Schemas['NoticeCause']

/** Who uses the page, and what it may offer them. */
export type Session = Schemas['Session']
export type User = Schemas['SessionUser']
/** Of a user; a process has a role too. */
export type UserRole = Schemas['UserRole']
/** What a client may do. */
export type Permission = Schemas['Permission']
/** A session of the user: a browser that is logged in. */
export type OpenSession = Schemas['OpenSession']

/** Whether a reason must be given before plates are shown. */
export type PurposeRule = Schemas['PurposeUse']
/** Why plates are looked at. */
export interface Purpose {
  code: PurposeCode
  text?: string | null
}
export type PurposeCode = Schemas['PurposeCode']

/** One line of the audit log. */
export type AuditEntry = Omit<Schemas['AuditEntry'], 'details' | 'purpose'> & { details?: Record<string, unknown> | null; purpose?: Purpose | null }
export type AuditAction = Schemas['AuditAction']
export type AuditHead = Schemas['AuditHead']
export type AuditPage = Omit<Schemas['AuditPage'], 'entries'> & { entries: AuditEntry[] }
/** What checking the chain found. */
export type AuditVerified = Schemas['AuditVerified']

/** A user as the administrator sees them. */
export type Account = Schemas['User']
/** A token of a program. */
export type ApiToken = Schemas['Token']

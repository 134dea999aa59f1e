/**
 * Types of the audit log, of purposes, and of users and tokens, written by hand as long as `schema.d.ts` lacks them. Only
 * `types.ts` imports them.
 */
import type { components } from './schema'

type Schemas = components['schemas']

/** Whether a reason must be given before plates are shown. */
export type PurposeRule = 'off' | 'optional' | 'required'
export type PurposeCode = 'warning' | 'case' | 'accident' | 'complaint' | 'patrol' | 'maintenance' | 'test' | 'other'
/** Why plates are looked at. */
export interface Purpose {
  code: PurposeCode
  text?: string | null
}

/** A server without audit log sends none. */
export type Session = Schemas['Session'] & { purpose?: PurposeRule }

export type AuditVia = 'session' | 'token' | 'open' | 'command'
export type AuditAction =
  | 'login' | 'login_failed' | 'logout' | 'password' | 'session_ended'
  | 'query' | 'export' | 'export_end' | 'track' | 'warning' | 'case' | 'rejects' | 'work_warning' | 'work_case'
  | 'list_warnings' | 'list_cases' | 'stream' | 'audit' | 'verified'
  | 'user_add' | 'user_disable' | 'user_enable' | 'user_password' | 'user_roles' | 'token_add' | 'token_revoke'
  | 'retention' | 'erase' | 'recovered'
export interface AuditEntry {
  n: number
  at: string
  user: string | null
  shown: string | null
  via: AuditVia
  credential: string | null
  address: string | null
  action: AuditAction
  status: number
  rows: number | null
  purpose: Purpose | null
  details: Record<string, unknown> | null
  erased: boolean
}
export interface AuditHead {
  n: number
  hash: string
  at: string
}
export type AuditFirst = Pick<AuditHead, 'n' | 'at'>
export interface AuditPage {
  entries: AuditEntry[]
  next: number | null
  head: AuditHead | null
  first: AuditFirst | null
}
export interface AuditBreak {
  file: string
  line: number
  what: string
}
export interface AuditVerdict {
  entries: number
  first: AuditFirst | null
  head: AuditHead | null
  broken: AuditBreak | null
}

export interface Account {
  name: string
  shown: string
  roles: Schemas['UserRole'][]
  disabled: boolean
  must_change: boolean
  created_at: string
  sessions: number
  tokens: number
}
export interface ApiToken {
  id: string
  owner: string
  scopes: Schemas['Permission'][]
  note: string
  created_at: string
  expires_at: string | null
  revoked: boolean
}

export type ErrorReason =
  | Schemas['ErrorReason']
  | 'audit_unavailable' | 'purpose_required' | 'wrong_purpose'
  | 'user_exists' | 'no_such_user' | 'last_admin' | 'no_such_token' | 'too_many_requests'
export type ErrorBody = Omit<Schemas['Error'], 'reason'> & { reason: ErrorReason }

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

export type Via = 'session' | 'token' | 'open' | 'nothing' | 'command' | 'process'
export type AuditAction =
  | 'login' | 'login_failed' | 'logout' | 'password' | 'session_ended'
  | 'query' | 'export' | 'export_end' | 'track' | 'warning' | 'case' | 'rejects' | 'work_warning' | 'work_case'
  | 'list_warnings' | 'list_cases' | 'stream' | 'audit' | 'verified' | 'refused'
  | 'user_add' | 'user_disable' | 'user_enable' | 'user_password' | 'user_roles' | 'user_shown' | 'token_add' | 'token_revoke'
  | 'retention' | 'erase' | 'recovered'
export interface AuditEntry {
  n: number
  at: string
  user: string | null
  shown: string | null
  via: Via
  credential: string | null
  address: string | null
  action: AuditAction
  status: number | null
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
export interface AuditVerified {
  entries: number
  first: AuditFirst | null
  head: AuditHead | null
  broken: { file: string; line: number; what: string } | null
}

export interface User {
  name: string
  shown: string
  roles: Schemas['UserRole'][]
  disabled: boolean
  must_change: boolean
  created_at: string
  sessions: number
  tokens: number
}
export interface Token {
  id: string
  owner: string
  scopes: Schemas['Permission'][]
  note: string
  created_at: string
  expires_at: string | null
  expired: boolean
}

export type ErrorReason =
  | Schemas['ErrorReason']
  | 'audit_unavailable' | 'no_audit' | 'purpose_required' | 'wrong_purpose'
  | 'not_name' | 'no_change' | 'user_exists' | 'no_such_user' | 'no_such_token' | 'last_admin' | 'own_account' | 'scope_not_owned' | 'too_many_accounts'
  | 'https_only' | 'too_many_requests'
export type ErrorBody = Omit<Schemas['Error'], 'reason'> & { reason: ErrorReason }

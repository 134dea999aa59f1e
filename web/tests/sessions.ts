/** Sessions as the server describes them. */
import type { Permission, Session } from '@/api/types'

const ALL: Permission[] = ['dashboard', 'plates', 'work', 'export', 'rejects', 'audit', 'users', 'metrics', 'ingest']

export const OPEN: Session = { access: 'open', exposed: false, permissions: ALL, areas: [], single_sign_on: false, user: null, csrf: null, purpose: 'optional', expires_at: null }
export const LOGGED_OUT: Session = { ...OPEN, access: 'login', permissions: [] }
export const LOGGED_IN: Session = {
  ...LOGGED_OUT,
  permissions: ['dashboard', 'plates', 'work', 'export'],
  user: { name: 'wang', shown: '王警官', roles: ['operator'], must_change: false, external: false },
  csrf: 'token',
  expires_at: '2026-11-28 08:00:00',
}
/** A viewer sees no plates. */
export const VIEWER: Session = {
  ...LOGGED_IN,
  permissions: ['dashboard'],
  user: { name: 'li', shown: '李警官', roles: ['viewer'], must_change: false, external: false },
}

export const envelope = (data: unknown) => new Response(JSON.stringify({ code: 200, msg: 'success', data }))

export function refusal(status: number, reason: string, values: Record<string, string | number> = {}) {
  return new Response(JSON.stringify({ code: status, msg: reason, data: null, reason, values, notices: [] }), { status })
}

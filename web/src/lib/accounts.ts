/** What can be said of users and tokens before they are sent. The server has the last word. */
import type { Permission, UserRole } from '@/api/types'

/** Limits of the server. */
export const NAME_CHARS = 32
export const SHOWN_CHARS = 64
export const NOTE_CHARS = 100
export const MOST_DAYS = 3650
/** Characters of all districts, or all checkpoints, that a user is limited to. */
export const PLACES_CHARS = 2000

/** What each role may, so that a token is offered only what its owner may. */
const PERMISSIONS_OF: Record<UserRole, readonly Permission[]> = {
  viewer: ['dashboard'],
  operator: ['dashboard', 'plates', 'work', 'export'],
  supervisor: ['dashboard', 'plates', 'work', 'export', 'rejects', 'ingest'],
  auditor: ['audit'],
  admin: ['dashboard', 'users', 'metrics', 'ingest'],
}

export function permissionsOf(roles: readonly UserRole[]): Permission[] {
  return [...new Set(roles.flatMap((role) => PERMISSIONS_OF[role]))]
}

export type UserProblem = 'nameNeeded' | 'nameWrong' | 'rolesNeeded'

export function userProblem(name: string, roles: readonly UserRole[]): UserProblem | null {
  if (name.trim() === '') return 'nameNeeded'
  if (!/^[a-z0-9._-]{1,32}$/i.test(name.trim())) return 'nameWrong'
  return roles.length === 0 ? 'rolesNeeded' : null
}

/** Names as they are typed into one line: with commas of any kind between them. */
export function namesIn(text: string): string[] {
  return [...new Set(text.split(/[,，、;；]/).map((name) => name.trim()).filter((name) => name !== ''))]
}

/** The names, if they are not the same as before. */
export function namesChanged(text: string, before: readonly string[]): string[] | undefined {
  const names = namesIn(text)
  return names.length === before.length && names.every((name) => before.includes(name)) ? undefined : names
}

export type TokenProblem = 'ownerNeeded' | 'scopesNeeded' | 'daysWrong'

export function tokenProblem(owner: string, scopes: readonly Permission[], days: unknown): TokenProblem | null {
  if (owner === '') return 'ownerNeeded'
  if (scopes.length === 0) return 'scopesNeeded'
  return Number.isInteger(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS ? null : 'daysWrong'
}

/**
 * The session as the server last described it: who is logged in, what they may do, and the token of their changes. Shared by the
 * whole page. Until the server has described it, the page offers everything and the server decides. `session.ts` fills it.
 */
import { computed, ref, shallowReadonly, shallowRef } from 'vue'

import type { Permission, Session } from './types'

const held = shallowRef<Session | null>(null)
const ended = ref(false)

/** Null until the server has described it. */
export const session = shallowReadonly(held)
/** Who is logged in. */
export const user = computed(() => held.value?.user ?? null)
/** The session ended without a log out: it expired, or was ended elsewhere. */
export const lapsed = shallowReadonly(ended)
/** Changes when what was shown before may not be shown any more: another user, other permissions or another area. Null like `session`. */
export const identity = computed(() => (held.value ? [held.value.user?.name, ...held.value.permissions, JSON.stringify(held.value.areas)].join(' ') : null))

/** Names of the districts and checkpoints to which the user is limited; empty: everywhere. */
export const limits = computed(() => (held.value?.areas ?? []).flatMap((area) => [...area.districts, ...area.checkpoints]))

export function may(permission: Permission): boolean {
  return held.value?.permissions.includes(permission) ?? true
}

/** `byUser`: the user logged in or out here. */
export function holdSession(next: Session | null, byUser = false): void {
  ended.value = next !== null && !next.user && !byUser && (ended.value || user.value !== null)
  held.value = next
}

/** Users and tokens of programs, for administrators. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'

import { user } from './access'
import { apiDelete, apiSend, sendJson } from './client'
import { EVERY } from './queries'
import { reportSessionDoubt } from './sessionDoubt'
import type { Account, ApiToken, Permission, UserRole } from './types'

const USERS = ['users'] as const
const TOKENS = ['tokens'] as const

export interface UserChange {
  shown?: string
  roles?: UserRole[]
  disabled?: boolean
  /** What the user may see; nothing in both is everything. */
  districts?: string[]
  checkpoints?: string[]
  password?: 'generate'
}
export interface NewToken {
  owner: string
  scopes: Permission[]
  days: number
  note: string
}
/** `password`: one that was made just now. */
interface Changed {
  user: Account
  password: string | null
}

export function useUsers(enabled: () => boolean) {
  return useQuery({
    queryKey: USERS,
    queryFn: async ({ signal }) => (await sendJson<{ users: Account[] }>('/api/users', { signal })).users,
    refetchInterval: EVERY.slow,
    enabled,
  })
}

export function useTokens() {
  return useQuery({
    queryKey: TOKENS,
    queryFn: async ({ signal }) => (await sendJson<{ tokens: ApiToken[] }>('/api/tokens', { signal })).tokens,
    refetchInterval: EVERY.slow,
  })
}

/** After a change both lists are read again: users say how many tokens they have. */
function useChange<G, R>(change: (given: G) => Promise<R>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: USERS })
      void client.invalidateQueries({ queryKey: TOKENS })
    },
  })
}

export function useUserAdd() {
  return useChange((given: UserChange & { name: string; roles: UserRole[] }) => apiSend<Changed>('POST', '/api/users', given))
}

export function useUserChange() {
  return useChange(async ({ name, ...change }: UserChange & { name: string }) => {
    const changed = await apiSend<Changed>('PATCH', `/api/users/${encodeURIComponent(name)}`, change)
    // What one may do oneself may have changed.
    if (name === user.value?.name) reportSessionDoubt()
    return changed
  })
}

export function useTokenAdd() {
  return useChange((given: NewToken) => apiSend<{ token: ApiToken; secret: string }>('POST', '/api/tokens', given))
}

export function useTokenRevoke() {
  return useChange((id: string) => apiDelete(`/api/tokens/${encodeURIComponent(id)}`))
}

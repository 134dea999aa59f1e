/** The session of this browser: reading it, logging in and out, the password; and the user's sessions in all browsers. */
import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { watch } from 'vue'

import { holdSession, identity } from './access'
import { apiDelete, apiSend, sendJson } from './client'
import { unreachableSince } from './connection'
import { EVERY } from './queries'
import { sessionDoubts } from './sessionDoubt'
import type { OpenSession, Session } from './types'

const URL = '/api/session'
const KEY = ['session'] as const
const LIST_KEY = ['sessions'] as const
/** While the session is not known. */
const ASK_AGAIN_MS = 5_000

const fetchSession = (signal?: AbortSignal) => sendJson<Session>(URL, { signal })

/** Makes `next` the session of the page. Data that was read for somebody else is dropped. */
function accept(client: QueryClient, next: Session, byUser = false): Session {
  const before = identity.value
  holdSession(next, byUser)
  if (before !== null && before !== identity.value) client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] })
  return next
}

/** Reads the session at the start, and again when an answer contradicts it or the server is back. For the page as a whole. */
export function useSession() {
  const client = useQueryClient()
  const query = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => accept(client, await fetchSession(signal)),
    refetchInterval: ({ state }) => (state.data ? false : ASK_AGAIN_MS),
    gcTime: Infinity,
  })
  const again = () => void query.refetch({ cancelRefetch: false })
  watch(sessionDoubts, again)
  watch(unreachableSince, (since) => {
    if (since === null) again()
  })
  return query
}

/** A change of the session by its user. An answer to an earlier question must not replace its result. */
function useSessionChange<T>(change: (given: T) => Promise<Session>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onMutate: () => client.cancelQueries({ queryKey: KEY }),
    onSuccess: (next) => {
      client.setQueryData(KEY, accept(client, next, true))
      void client.invalidateQueries({ queryKey: LIST_KEY })
    },
  })
}

export function useLogin() {
  return useSessionChange((given: { user: string; password: string }) => apiSend<Session>('POST', URL, given))
}

export function useLogout() {
  return useSessionChange(async () => {
    await apiDelete(URL)
    return fetchSession()
  })
}

/** Changes the password; the user's other sessions end. */
export function usePasswordChange() {
  return useSessionChange(async (given: { old: string; new: string }) => {
    await apiSend('POST', `${URL}/password`, given)
    return fetchSession()
  })
}

/** Where the user is logged in. */
export function useOpenSessions() {
  return useQuery({
    queryKey: LIST_KEY,
    queryFn: async ({ signal }) => (await sendJson<{ sessions: OpenSession[] }>('/api/sessions', { signal })).sessions,
    refetchInterval: EVERY.slow,
  })
}

/** Logs the user out in another browser. */
export function useSessionEnd() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => apiDelete(`/api/sessions/${encodeURIComponent(id)}`),
    onSettled: () => client.invalidateQueries({ queryKey: LIST_KEY }),
  })
}

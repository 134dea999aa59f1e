/**
 * The purpose that the user gave, for the session and for single cases: kept for this tab, sent with every request, and asked
 * for where the server requires one. Shared by the whole page. `PurposeDialog` shows the question.
 */
import { computed, ref, shallowRef, watch } from 'vue'

import { caseOf, headerOf, purposeOf, showsPlates } from '@/lib/purpose'

import { may, session } from './access'
import { reportSessionDoubt } from './sessionDoubt'
import { PURPOSES, type ErrorReason, type Permission, type Purpose } from './types'

/** What a purpose is for: a case, by its id; or everything else. */
export type Scope = string | null

interface Kept {
  user: string
  session: Purpose | null
  cases: readonly (readonly [id: string, purpose: Purpose])[]
}

const STORED_AS = 'platewatch.purpose'
/** None where scripts run without a browser. */
const storage = globalThis.sessionStorage as Storage | undefined
/** Cases whose purpose is kept. */
const MOST_CASES = 200
const NEEDING: readonly Permission[] = ['plates', 'export', 'rejects', 'work']

function stored(): Kept {
  try {
    const found = JSON.parse(storage?.getItem(STORED_AS) ?? '{}') as Partial<Record<keyof Kept, unknown>>
    const cases = Array.isArray(found.cases) ? (found.cases as unknown[][]) : []
    return {
      user: typeof found.user === 'string' ? found.user : '',
      session: purposeOf(found.session, PURPOSES),
      cases: cases.flatMap(([id, value]) => {
        const purpose = purposeOf(value, PURPOSES)
        return typeof id === 'string' && purpose ? [[id, purpose] as const] : []
      }),
    }
  } catch {
    return { user: '', session: null, cases: [] }
  }
}

const kept = shallowRef(stored())

function keep(next: Kept) {
  kept.value = next
  if (next.session || next.cases.length > 0) storage?.setItem(STORED_AS, JSON.stringify(next))
  else storage?.removeItem(STORED_AS)
}

/** Whether a purpose is required, can be given, or is not asked for. */
export const purposeRule = computed(() => session.value?.purpose ?? 'off')
/** Whether the user does anything that has a purpose. */
export const hasPurpose = computed(() => purposeRule.value !== 'off' && NEEDING.some(may))

export function purposeOfScope(scope: Scope): Purpose | null {
  const own = kept.value.cases.find(([id]) => id === scope)?.[1] ?? null
  return own ?? (scope === null || purposeRule.value !== 'required' ? kept.value.session : null)
}

/** What the question begins with: what was answered here, else for the session, else for the last case. */
export function suggestionFor(scope: Scope): Purpose | null {
  return purposeOfScope(scope) ?? kept.value.session ?? kept.value.cases.at(-1)?.[1] ?? null
}

export function purposeHeaders(url: string): Record<string, string> {
  const purpose = session.value?.purpose === 'off' ? null : purposeOfScope(caseOf(url))
  return purpose ? { 'X-Purpose': headerOf(purpose) } : {}
}

interface Waiter {
  scope: Scope
  resolve: (answered: boolean) => void
}

const waiters = shallowRef<readonly Waiter[]>([])
const changing = ref<{ scope: Scope } | null>(null)
const declined = new Set<Scope>()

/** The question that is open. That for a case comes first, since its answer is one for the session, too. */
export const question = computed<{ scope: Scope } | null>(
  () => waiters.value.find(({ scope }) => scope !== null) ?? waiters.value[0] ?? changing.value,
)
/** Requests wait for the answer. */
export const isAwaited = computed(() => waiters.value.length > 0)

function release(scopes: readonly Scope[], answered: boolean) {
  const done = waiters.value.filter(({ scope }) => scopes.includes(scope))
  waiters.value = waiters.value.filter(({ scope }) => !scopes.includes(scope))
  changing.value = null
  for (const { resolve } of done) resolve(answered)
}

/** Opens the question, so that the user can change the answer. */
export function changePurpose(scope: Scope): void {
  changing.value = { scope }
}

/** `null` takes the purpose back. */
export function answerPurpose(scope: Scope, purpose: Purpose | null): void {
  const { user, session: before, cases } = kept.value
  const others = cases.filter(([id]) => id !== scope)
  if (scope === null) keep({ user, session: purpose, cases })
  else keep({ user, session: before ?? purpose, cases: purpose ? [...others, [scope, purpose] as const].slice(-MOST_CASES) : others })
  declined.clear()
  release(purpose ? [scope, null] : [scope], purpose !== null)
}

/** The user gives no purpose: what waits for it fails, and so do later readings until `resumePurpose`. */
export function declinePurpose(): void {
  const scopes = waiters.value.map(({ scope }) => scope)
  for (const scope of scopes) declined.add(scope)
  release(scopes, false)
}

/** The user does something new: a purpose may be asked for again. */
export function resumePurpose(): void {
  declined.clear()
}

function ask(scope: Scope, signal: AbortSignal | null | undefined): Promise<boolean> {
  return new Promise((done, reject) => {
    const waiter: Waiter = {
      scope,
      resolve: (answered) => {
        signal?.removeEventListener('abort', drop)
        done(answered)
      },
    }
    function drop() {
      waiters.value = waiters.value.filter((other) => other !== waiter)
      reject(signal?.reason as Error)
    }
    if (signal?.aborted) return drop()
    signal?.addEventListener('abort', drop, { once: true })
    waiters.value = [...waiters.value, waiter]
  })
}

/** Pages read again by themselves; that must not bring a question back that the user has declined. */
const isDeclined = (scope: Scope, method = 'GET') => method === 'GET' && declined.has(scope)

/** Before a request: false if it needs a purpose, and the user gives none. */
export async function purposeBefore(url: string, method?: string, signal?: AbortSignal | null): Promise<boolean> {
  const scope = caseOf(url)
  if (purposeRule.value !== 'required' || !showsPlates(url) || purposeOfScope(scope)) return true
  return !isDeclined(scope, method) && ask(scope, signal)
}

/** After a refusal for `reason` of a request that had `sent` as its headers of the purpose: whether to repeat it. */
export async function purposeAfter(
  reason: ErrorReason | null | undefined,
  sent: Record<string, string>,
  url: string,
  method?: string,
  signal?: AbortSignal | null,
): Promise<boolean> {
  if (reason !== 'purpose_required' && reason !== 'wrong_purpose') return false
  // The server has another rule than the page knows.
  if (purposeRule.value !== 'required') reportSessionDoubt()
  const scope = caseOf(url)
  const now = purposeHeaders(url)['X-Purpose']
  // Another request has asked meanwhile.
  if (now && now !== sent['X-Purpose']) return true
  return !isDeclined(scope, method) && ask(scope, signal)
}

/** What was answered for the session. */
export const sessionPurpose = computed(() => kept.value.session)

// Another user has other reasons; and who logs in again is asked again.
watch(
  session,
  (now) => {
    if (!now) return
    const name = now.user?.name ?? ''
    if (kept.value.user === name && (now.user || now.access !== 'login')) return
    keep({ user: name, session: null, cases: [] })
    declinePurpose()
    declined.clear()
  },
  { flush: 'sync' },
)

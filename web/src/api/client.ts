/**
 * The only HTTP client. Unwraps the envelope, turns every failure into an ApiError, adds the token that a change needs and
 * the purpose, which it waits for where one is required, and reports to `connection` whether the server could be reached, and to `sessionDoubt` that it does not know the session any
 * more. Knows no endpoint by name.
 */
import { reportReachable, reportUnreachable } from './connection'
import { csrfHeaders } from './csrf'
import { purposeAfter, purposeBefore, purposeHeaders } from './purpose'
import type { paths } from './schema'
import { reportSessionDoubt } from './sessionDoubt'
import type { ErrorBody, ErrorReason } from './types'

/** Timeout of a request; the server's own timeout is shorter. */
const TIMEOUT_MS = 30_000

/** A failed request. `status` 0: the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    private readonly headers = new Headers(),
    /** The body of the error; null if there was no answer, or none of this server. */
    readonly answer: ErrorBody | null = null,
  ) {
    super(message)
    this.name = 'ApiError'
  }

  get offline(): boolean {
    return this.status === 0
  }

  /** A number in a header of the answer; null without it. */
  number(name: string): number | null {
    const text = this.headers.get(name)
    return text === null ? null : Number(text)
  }

  /** A retry may help: the server is away, starting, busy or was too slow. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 504
  }
}

type GetPath = { [P in keyof paths]: paths[P] extends { get: unknown } ? P : never }[keyof paths]
type OkJson<O> = O extends { responses: { 200: { content: { 'application/json': infer Body } } } } ? Body : never

/** The `data` of the envelope that `GET path` answers with. */
export type DataOf<P extends GetPath> = OkJson<paths[P]['get']> extends { data: infer Data } ? Data : never
/** The query parameters of `GET path`. */
export type ParamsOf<P extends GetPath> = paths[P]['get'] extends { parameters: { query?: infer Q } } ? Q : never

export type Params = Record<string, string | number | boolean | null | undefined>

/** `path` with the parameters that have a value. */
export function withParams(path: string, params: Params = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value != null && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}

/** Reasons that mean that the session has ended, or is another than the page holds. */
const DOUBTS: readonly string[] = ['login_required', 'csrf', 'must_change', 'no_login', 'no_session'] satisfies ErrorReason[]

export type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

/** As the server refuses a request without its purpose. */
const NO_PURPOSE: ErrorBody = { code: 403, msg: 'no purpose was given', data: null, reason: 'purpose_required', values: {}, notices: [] }

/** A successful response of any type; `timeoutMs` includes its body, but not the wait for a purpose. */
export async function send(url: string, init: Init = {}, timeoutMs = TIMEOUT_MS): Promise<Response> {
  if (!(await purposeBefore(url, init.method, init.signal))) throw new ApiError(403, NO_PURPOSE.msg, undefined, NO_PURPOSE)
  const purpose = purposeHeaders(url)
  try {
    return await sendOnce(url, init, timeoutMs)
  } catch (error) {
    const reason = error instanceof ApiError ? error.answer?.reason : null
    if (!(await purposeAfter(reason, purpose, url, init.method, init.signal))) throw error
    return sendOnce(url, init, timeoutMs)
  }
}

async function sendOnce(url: string, init: Init, timeoutMs: number): Promise<Response> {
  const headers = { ...init.headers, ...csrfHeaders(url, init.method), ...purposeHeaders(url) }
  const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])]
  let response: Response
  try {
    response = await fetch(url, { ...init, headers, signal: AbortSignal.any(signals) })
  } catch (error) {
    if (init.signal?.aborted) throw error
    reportUnreachable()
    throw new ApiError(0, error instanceof Error ? error.message : String(error))
  }
  // A proxy answers 502 if the server behind it is away.
  if (response.status === 502) {
    reportUnreachable()
    throw new ApiError(0, 'HTTP 502')
  }
  reportReachable()
  if (response.ok) return response
  const error = await errorOf(response)
  if (DOUBTS.includes(error.answer?.reason ?? '')) reportSessionDoubt()
  throw error
}

async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const isAnswer = (value: unknown): value is ErrorBody => typeof value === 'object' && value !== null && 'msg' in value
  const answer = isAnswer(body) && body.msg ? body : null
  return new ApiError(response.status, answer?.msg ?? `HTTP ${response.status}`, response.headers, answer)
}

/** The `data` of the envelope. */
export async function sendJson<T>(url: string, init: Init = {}, timeoutMs?: number): Promise<T> {
  const response = await send(url, init, timeoutMs)
  try {
    return ((await response.json()) as { data: T }).data
  } catch (error) {
    if (init.signal?.aborted) throw error
    // Truncated: the server went away.
    throw new ApiError(0, error instanceof Error ? error.message : String(error))
  }
}

/** `GET` of an endpoint of the OpenAPI document, typed. */
export function apiGet<P extends GetPath>(
  path: P,
  params?: ParamsOf<P>,
  signal?: AbortSignal,
): Promise<DataOf<P>> {
  return sendJson<DataOf<P>>(withParams(path, params as Params | undefined), { signal })
}

/** A body as JSON, by `POST` or `PATCH`. */
export function apiSend<T>(method: 'POST' | 'PATCH', url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return sendJson<T>(url, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
}

export function apiDelete(url: string): Promise<unknown> {
  return sendJson(url, { method: 'DELETE' })
}

/** The token that the server wants with every change, so that no other site can make this browser send one. */
import { session } from './access'

/** A search only reads; it is a `POST` because of its long filters. */
const READING = /^\/api\/query(\/|$)/

function changes(url: string, method: string): boolean {
  return method !== 'GET' && !READING.test(url)
}

/** The headers that a request needs because it changes something. */
export function csrfHeaders(url: string, method = 'GET'): Record<string, string> {
  const token = session.value?.csrf
  return token && changes(url, method) ? { 'X-CSRF-Token': token } : {}
}

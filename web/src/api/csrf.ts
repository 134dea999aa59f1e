/** The token that the server wants with every change, so that no other site can make this browser send one. */
import { session } from './access'

/** Other `POST`s only read: a search is one because of its long filters. */
const CHANGING_POSTS = /^\/api\/(session|users|tokens|audit)(\/|$)/

function changes(url: string, method: string): boolean {
  return method === 'PATCH' || method === 'DELETE' || (method === 'POST' && CHANGING_POSTS.test(url))
}

/** The headers that a request needs because it changes something. */
export function csrfHeaders(url: string, method = 'GET'): Record<string, string> {
  const token = session.value?.csrf
  return token && changes(url, method) ? { 'X-CSRF-Token': token } : {}
}

/**
 * When a part of the page cannot be loaded, the server is away, or the program was replaced and the parts of the page
 * that is open are gone. Either way: as soon as the server answers, load everything anew. A part that failed is not asked
 * for again by itself: the loader takes its style sheet as loaded.
 */
import type { Router } from 'vue-router'

import { apiGet } from '@/api/client'

const LOADED_AT = 'platewatch.reloadedAt'
/** So long must pass before it is done again: a part that is broken would otherwise reload the page without a pause. */
const AGAIN_AFTER_MS = 20_000
const ASK_EVERY_MS = 1_000

export function reloadWhenChunksAreGone(router: Router): void {
  let waiting = false
  let target: string | null = null
  // A page that was not reached is where to go, unless another was since.
  router.onError((_, to) => (target = to.fullPath))
  router.afterEach(() => (target = null))
  // Vite's loader tells of all that it imports: https://vite.dev/guide/build#load-error-handling
  window.addEventListener('vite:preloadError', () => {
    if (waiting) return
    waiting = true
    void whenWorthIt().then(() => {
      sessionStorage.setItem(LOADED_AT, String(Date.now()))
      if (target === null) window.location.reload()
      else window.location.assign(target)
    })
  })
}

async function whenWorthIt(): Promise<void> {
  const last = Number(sessionStorage.getItem(LOADED_AT) ?? 0)
  await sleep(last + AGAIN_AFTER_MS - Date.now())
  while (!(await serverAnswers())) await sleep(ASK_EVERY_MS)
}

const serverAnswers = () =>
  apiGet('/healthz').then(
    () => true,
    () => false,
  )

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

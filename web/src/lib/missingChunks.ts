/**
 * When a chunk of the page cannot be loaded, the server is away, or the program was replaced and the chunks of the open page
 * no longer exist. In both cases the page is reloaded as soon as the server answers. A failed chunk is not retried alone,
 * because the loader considers its style sheet loaded.
 */
import type { Router } from 'vue-router'

import { apiGet } from '@/api/client'

const LOADED_AT = 'platewatch.reloadedAt'
/** Minimum time between two reloads, so that a broken chunk does not reload the page in a loop. */
const AGAIN_AFTER_MS = 20_000
const ASK_EVERY_MS = 1_000

export function reloadWhenChunksAreGone(router: Router): void {
  let waiting = false
  let target: string | null = null
  // Goes to the page whose chunk failed, unless another was opened since.
  router.onError((_, to) => (target = to.fullPath))
  router.afterEach(() => (target = null))
  // Vite's loader reports failed imports: https://vite.dev/guide/build#load-error-handling
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

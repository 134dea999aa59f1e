/**
 * When a page's chunk cannot be loaded, the server is away, or the program was replaced and the chunks of the page that
 * is open are gone. Either way: as soon as the server answers, go to that page by loading everything anew.
 */
import type { Router } from 'vue-router'

const TRIED_AT = 'platewatch.reloadedAt'
/** So long must pass before it is done again: a chunk that is broken would otherwise reload the page for ever. */
const AGAIN_AFTER_MS = 20_000
const ASK_EVERY_MS = 1_000

const CHUNK_FAILURE = /dynamically imported module|module script|preload/i

export function reloadWhenChunksAreGone(router: Router): void {
  let waiting = false
  router.onError((error, to) => {
    if (waiting || !(error instanceof Error) || !CHUNK_FAILURE.test(error.message)) return
    waiting = true
    void whenServerAnswers().then(() => {
      waiting = false
      const last = Number(sessionStorage.getItem(TRIED_AT) ?? 0)
      if (Date.now() - last < AGAIN_AFTER_MS) return
      sessionStorage.setItem(TRIED_AT, String(Date.now()))
      window.location.assign(to.fullPath)
    })
  })
}

async function whenServerAnswers(): Promise<void> {
  for (;;) {
    const answer = await fetch('/healthz', { cache: 'no-store' }).catch(() => null)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

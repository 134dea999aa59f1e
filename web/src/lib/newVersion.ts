/**
 * After the program was replaced, the chunks of the page that is open are gone from the server. Loading one then fails;
 * the page loads itself anew, once, and gets the new version.
 */
const RELOADED_AT = 'platewatch.reloadedAt'
const AGAIN_AFTER_MS = 30_000

export function reloadOnNewVersion(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const last = Number(sessionStorage.getItem(RELOADED_AT) ?? 0)
    if (Date.now() - last < AGAIN_AFTER_MS) return
    event.preventDefault()
    sessionStorage.setItem(RELOADED_AT, String(Date.now()))
    window.location.reload()
  })
}

/** One real Chromium for a whole process. */
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

let shared: Promise<Browser> | undefined

export function browser(): Promise<Browser> {
  // Memory is counted exactly, for the script that watches it.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--enable-precise-memory-info']
  shared ??= chromium.launch({ executablePath: CHROMIUM, args })
  return shared
}

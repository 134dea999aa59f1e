/** One demo for all specs; `PLATEWATCH_URL` names a server that runs already. */
import type { TestProject } from 'vitest/node'

import { Server } from './server'

declare module 'vitest' {
  interface ProvidedContext {
    url: string
  }
}

export default async function setup(project: TestProject) {
  const running = process.env.PLATEWATCH_URL
  if (running) {
    project.provide('url', running)
    return
  }
  const server = await Server.demo(40)
  project.provide('url', server.url)
  return () => server.remove()
}

/** How queries behave by default. */
import { QueryClient } from '@tanstack/vue-query'

import { ApiError } from './client'

/** A fault that asking again may cure is asked again this often before the panel says so. */
const RETRIES = 1

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server is on this network, whatever the browser thinks of the internet.
        networkMode: 'always',
        retry: (failures, error) => failures < RETRIES && error instanceof ApiError && error.temporary,
        retryDelay: 500,
        refetchOnWindowFocus: true,
        // A wall screen is often in a window that is not in front.
        refetchIntervalInBackground: true,
        // What no panel shows any more is let go, so that a page that stays open for weeks does not grow.
        gcTime: 60_000,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}

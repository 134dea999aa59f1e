/** How queries behave by default. */
import { QueryClient } from '@tanstack/vue-query'

import { ApiError } from './client'

/** Retries of a temporary error before the panel shows it. */
const RETRIES = 1

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server is on the local network, even if the browser reports no internet.
        networkMode: 'always',
        retry: (failures, error) => failures < RETRIES && error instanceof ApiError && error.temporary,
        retryDelay: 500,
        refetchOnWindowFocus: true,
        // The window of a wall screen is often not in front.
        refetchIntervalInBackground: true,
        // Unused data is freed, so that a page that stays open for weeks does not grow.
        gcTime: 60_000,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}

/** Runs a composable inside a component, with the queries, texts and addresses that it may use. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { mount } from '@vue/test-utils'
import { createMemoryHistory, createRouter } from 'vue-router'

import { createQueryClient } from '@/api/queryClient'
import { i18n } from '@/i18n'

export async function run<T>(composable: () => T, path = '/') {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:path(.*)*', component: { template: '<div />' } }],
  })
  await router.push(path)
  let result: T | undefined
  const wrapper = mount(
    {
      setup() {
        result = composable()
        return () => null
      },
    },
    { global: { plugins: [router, i18n, [VueQueryPlugin, { queryClient: createQueryClient() }]] } },
  )
  return { result: result as T, router, unmount: () => wrapper.unmount() }
}

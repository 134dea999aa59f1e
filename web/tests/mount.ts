/** Runs a composable inside a component, or mounts a component, with the queries, texts and addresses that they may use. */
import { VueQueryPlugin } from '@tanstack/vue-query'
import { mount } from '@vue/test-utils'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter, type RouteRecordRaw } from 'vue-router'

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

const ANY: RouteRecordRaw[] = [{ path: '/:path(.*)*', component: { template: '<div />' } }]

/** Attached to the document, so that elements can have the focus. Of `routes`, the addresses count, not the pages. */
export async function show(component: Component, { path = '/', props = {}, routes = ANY } = {}) {
  const bare = routes.map((route) => ({ ...route, component: { template: '<div />' } }) as RouteRecordRaw)
  const router = createRouter({ history: createMemoryHistory(), routes: bare })
  await router.push(path)
  const plugins = [router, i18n, [VueQueryPlugin, { queryClient: createQueryClient() }] as [typeof VueQueryPlugin, object]]
  const wrapper = mount(component, { props, global: { plugins }, attachTo: document.body })
  return { wrapper, router, press: (text: string) => wrapper.findAll('button').find((button) => button.text() === text)?.trigger('click') }
}

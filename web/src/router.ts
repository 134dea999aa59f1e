/** The pages, their addresses, and what one must be permitted to see them; each page is a chunk of its own. */
import { createRouter, createWebHistory, type RouteLocation, type RouteRecordRaw } from 'vue-router'

import type { Permission } from './api/types'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's name among the texts. */
    title: string
    /** What the page needs; nothing if it is for everybody. */
    needs?: Permission
    /** What it needs besides if it shows the one record that `id` names. */
    recordNeeds?: Permission
    /** It is about users: nothing where nobody logs in, and not in the navigation there. */
    ofUsers?: boolean
    /** Fills the window and scales with it. */
    wall?: boolean
    /** Fills the height of the window; long content scrolls inside. */
    fill?: boolean
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'screen', component: () => import('@/views/screen/ScreenView.vue'), meta: { title: 'common.nav.screen', needs: 'dashboard', wall: true } },
  { path: '/query', name: 'query', component: () => import('@/views/query/QueryView.vue'), meta: { title: 'common.nav.query', needs: 'plates', fill: true } },
  { path: '/cases/:id?', name: 'cases', component: () => import('@/views/cases/CasesView.vue'), meta: { title: 'common.nav.cases', needs: 'dashboard', recordNeeds: 'plates' } },
  { path: '/warnings/:id?', name: 'warnings', component: () => import('@/views/warnings/WarningsView.vue'), meta: { title: 'common.nav.warnings', needs: 'dashboard', recordNeeds: 'plates' } },
  { path: '/track/:hphm?', name: 'track', component: () => import('@/views/track/TrackView.vue'), meta: { title: 'common.nav.track', needs: 'plates', fill: true } },
  { path: '/roads', name: 'roads', component: () => import('@/views/roads/RoadsView.vue'), meta: { title: 'common.nav.roads', needs: 'dashboard' } },
  { path: '/predict', name: 'predict', component: () => import('@/views/predict/PredictView.vue'), meta: { title: 'common.nav.predict', needs: 'dashboard' } },
  { path: '/cameras', name: 'cameras', component: () => import('@/views/cameras/CamerasView.vue'), meta: { title: 'common.nav.cameras', needs: 'dashboard' } },
  { path: '/prove', name: 'prove', component: () => import('@/views/prove/ProveView.vue'), meta: { title: 'common.nav.prove', needs: 'dashboard' } },
  { path: '/system', name: 'system', component: () => import('@/views/system/SystemView.vue'), meta: { title: 'common.nav.system', needs: 'dashboard' } },
  { path: '/audit', name: 'audit', component: () => import('@/views/audit/AuditView.vue'), meta: { title: 'common.nav.audit', needs: 'audit' } },
  { path: '/users', name: 'users', component: () => import('@/views/users/UsersView.vue'), meta: { title: 'common.nav.users', needs: 'users', ofUsers: true } },
  { path: '/account', name: 'account', component: () => import('@/views/account/AccountView.vue'), meta: { title: 'access.account.title' } },
  { path: '/:path(.*)*', name: 'notFound', component: () => import('@/views/notFound/NotFoundView.vue'), meta: { title: 'common.notFound' } },
]

/** What this page, or the record that it shows, needs and `may` denies; null: it may be seen. */
export function deniedBy({ meta, params }: Pick<RouteLocation, 'meta' | 'params'>, may: (permission: Permission) => boolean): Permission | null {
  const needed = [meta.needs, params.id ? meta.recordNeeds : undefined]
  return needed.find((permission) => permission !== undefined && !may(permission)) ?? null
}

/** The pages of the navigation, in its order. */
export const PAGES = ['screen', 'query', 'cases', 'warnings', 'track', 'roads', 'predict', 'cameras', 'prove', 'system', 'audit', 'users'] as const

export function createPageRouter() {
  return createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
  })
}

/** The pages and their addresses; each page is a chunk of its own. */
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's name among the texts. */
    title: string
    /** Fills the window and scales with it. */
    wall?: boolean
    /** Fills the height of the window; long content scrolls inside. */
    fill?: boolean
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'screen', component: () => import('@/views/screen/ScreenView.vue'), meta: { title: 'common.nav.screen', wall: true } },
  { path: '/query', name: 'query', component: () => import('@/views/query/QueryView.vue'), meta: { title: 'common.nav.query', fill: true } },
  { path: '/cases/:id?', name: 'cases', component: () => import('@/views/cases/CasesView.vue'), meta: { title: 'common.nav.cases' } },
  { path: '/warnings/:id?', name: 'warnings', component: () => import('@/views/warnings/WarningsView.vue'), meta: { title: 'common.nav.warnings' } },
  { path: '/track/:hphm?', name: 'track', component: () => import('@/views/track/TrackView.vue'), meta: { title: 'common.nav.track', fill: true } },
  { path: '/roads', name: 'roads', component: () => import('@/views/roads/RoadsView.vue'), meta: { title: 'common.nav.roads' } },
  { path: '/predict', name: 'predict', component: () => import('@/views/predict/PredictView.vue'), meta: { title: 'common.nav.predict' } },
  { path: '/cameras', name: 'cameras', component: () => import('@/views/cameras/CamerasView.vue'), meta: { title: 'common.nav.cameras' } },
  { path: '/prove', name: 'prove', component: () => import('@/views/prove/ProveView.vue'), meta: { title: 'common.nav.prove' } },
  { path: '/system', name: 'system', component: () => import('@/views/system/SystemView.vue'), meta: { title: 'common.nav.system' } },
  { path: '/account', name: 'account', component: () => import('@/views/account/AccountView.vue'), meta: { title: 'access.account.title' } },
  { path: '/:path(.*)*', name: 'notFound', component: () => import('@/views/notFound/NotFoundView.vue'), meta: { title: 'common.notFound' } },
]

/** The pages of the navigation, in its order. */
export const PAGES = ['screen', 'query', 'cases', 'warnings', 'track', 'roads', 'predict', 'cameras', 'prove', 'system'] as const

export function createPageRouter() {
  return createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
  })
}

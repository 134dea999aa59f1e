// @vitest-environment jsdom
import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { holdSession, may } from '@/api/access'
import type { WarningRecord, WorkStatus } from '@/api/types'
import AppHeader from '@/components/AppHeader.vue'
import MapNode from '@/components/map/MapNode.vue'
import PageFrame from '@/components/PageFrame.vue'
import WorkPanel from '@/components/work/WorkPanel.vue'
import { locale } from '@/i18n'
import { Catalogue } from '@/lib/catalogue'
import { deniedBy, PAGES, routes } from '@/router'
import WarningTable from '@/views/warnings/WarningTable.vue'

import { show } from './mount'
import { envelope, LOGGED_IN, OPEN, refusal, VIEWER } from './sessions'

enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  localStorage.clear()
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(refusal(404, 'unknown_endpoint'))))
})
afterEach(() => holdSession(null))

const AUDITOR = { ...VIEWER, permissions: ['audit' as const] }

describe('a page', () => {
  const router = createRouter({ history: createMemoryHistory(), routes })
  const denied = (path: string) => deniedBy(router.resolve(path), may)

  test('is for everybody where nobody logs in, and before the session is known', () => {
    const paths = ['/', '/query', '/cases/x', '/warnings/x', '/track/x', '/system', '/account', '/nowhere']
    expect(paths.map(denied)).toEqual(paths.map(() => null))
    holdSession(OPEN)
    expect(paths.map(denied)).toEqual(paths.map(() => null))
  })

  test('with plates is not for a viewer, nor is one record of a list', () => {
    holdSession(VIEWER)
    expect(['/', '/cases', '/warnings', '/roads', '/account'].map(denied)).toEqual([null, null, null, null, null])
    expect(['/query', '/track', '/track/x', '/cases/x', '/warnings/x'].map(denied)).toEqual(['plates', 'plates', 'plates', 'plates', 'plates'])
  })

  test('without the dashboard is the audit log, and the account', () => {
    holdSession(AUDITOR)
    expect(PAGES.filter((name) => deniedBy(router.resolve({ name }), may) === null)).toEqual(['audit'])
    expect(['/account', '/nowhere'].map(denied)).toEqual([null, null])
  })

  test('that is denied says what it needs, and who to ask', async () => {
    holdSession(VIEWER)
    const { wrapper } = await show(PageFrame, { routes, path: '/track/x' })
    expect(wrapper.get('main').text()).toContain('此页面需要的权限：查看完整号牌与轨迹。您的角色：浏览。')
    expect(wrapper.get('main').text()).toContain('系统管理员')
  })
})

describe('the address alone', () => {
  test('leads an auditor to the audit log, and a viewer to the wall screen', async () => {
    holdSession(AUDITOR)
    const auditor = await show(PageFrame, { routes, path: '/' })
    await vi.waitFor(() => expect(auditor.router.currentRoute.value.name).toBe('audit'))
    auditor.wrapper.unmount()
    holdSession(VIEWER)
    const viewer = await show(PageFrame, { routes, path: '/' })
    expect(viewer.router.currentRoute.value.name).toBe('screen')
  })
})

describe('who is limited to an area', () => {
  test('sees where, beside the own name', async () => {
    holdSession(LOGGED_IN)
    const everywhere = await show(AppHeader, { routes, path: '/nowhere' })
    expect(everywhere.wrapper.text()).not.toContain('仅限')
    holdSession({ ...LOGGED_IN, areas: [{ districts: ['邳州市', '铜山县'], checkpoints: ['G3_Sulu'] }] })
    const { wrapper } = await show(AppHeader, { routes, path: '/nowhere' })
    expect(wrapper.get('.limits').text()).toBe('仅限：邳州市、铜山县、G3_Sulu')
  })
})

describe('the navigation', () => {
  const pages = async () => (await show(AppHeader, { routes, path: '/nowhere' })).wrapper.findAll('nav a').map((link) => link.text())

  test('has every page where nobody logs in, but that of users', async () => {
    holdSession(OPEN)
    const all = await pages()
    expect([all.length, all.at(-1)]).toEqual([PAGES.length - 1, '审计'])
  })

  test('has what a viewer may see', async () => {
    holdSession(VIEWER)
    expect(await pages()).toEqual(['大屏', '嫌疑车辆', '预警', '路段', '预测', '设备', '检测验证', '系统'])
  })

  test('asks for nothing that an auditor may not see', async () => {
    holdSession(AUDITOR)
    expect(await pages()).toEqual(['审计'])
    expect(fetch).not.toHaveBeenCalled()
  })
})

describe('a link to plates', () => {
  const NODE = { code: '1', label: '一', title: '一', at: { x: 0, y: 0 }, radius: 1, dimmed: false, placement: null, fontSize: 12 }
  const alert = { seq: 1, id: '7e3c8c7395193060', hphm: '苏C•••45', severity: 'high', rule: 'speed', status: 'new', prev_kkmc: '1', curr_kkmc: '2', curr_time: '2024-01-01 08:00:00', gap_seconds: 60 } as WarningRecord
  const table = { alerts: [alert], selected: null, catalogue: new Catalogue([]), narrow: false }

  test.each([
    [LOGGED_IN, 1],
    [VIEWER, 0],
  ])('is there for who may follow it', async (session, count) => {
    holdSession(session)
    const map = await show(MapNode, { routes, props: NODE })
    expect(map.wrapper.findAll('a')).toHaveLength(count)
    const list = await show(WarningTable, { routes, path: '/warnings', props: table })
    expect([list.wrapper.findAll('tbody a').length, list.wrapper.text().includes('苏C•••45')]).toEqual([count, true])
    await list.wrapper.get('tbody tr').trigger('click')
    await vi.waitFor(() => expect(list.router.currentRoute.value.params.id ?? '').toBe(count ? alert.id : ''))
  })
})

describe('the work', () => {
  const record = { id: '7e3c8c7395193060', status: 'investigating' as WorkStatus, version: 1, allowed: ['confirmed'] as WorkStatus[], history: [] }
  const panel = () => show(WorkPanel, { props: { kind: 'cases', record } })

  test('names the session’s user: the form asks for no name, and sends none', async () => {
    holdSession(LOGGED_IN)
    vi.mocked(fetch).mockResolvedValue(envelope(record))
    const { wrapper, press } = await panel()
    expect(wrapper.find('input').exists()).toBe(false)
    await press('确认套牌')
    const init = vi.mocked(fetch).mock.calls[0]?.[1]
    expect([JSON.parse(String(init?.body)), init?.headers]).toEqual([{ status: 'confirmed', version: 1 }, { 'Content-Type': 'application/json', 'X-CSRF-Token': 'token' }])
  })

  test('is not offered without the permission', async () => {
    holdSession({ ...LOGGED_IN, permissions: ['dashboard', 'plates'] })
    const { wrapper } = await panel()
    expect([wrapper.findAll('button').length, wrapper.text()]).toEqual([0, expect.stringContaining('不能研判')])
  })
})

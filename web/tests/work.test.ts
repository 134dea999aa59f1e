// @vitest-environment jsdom
import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { createQueryClient } from '@/api/queryClient'
import type { CaseBrief, WorkEntry, WorkStatus } from '@/api/types'
import WorkPanel from '@/components/work/WorkPanel.vue'
import { i18n, locale } from '@/i18n'
import CaseTable from '@/views/cases/CaseTable.vue'

const router = () => createRouter({ history: createMemoryHistory(), routes: [{ path: '/cases/:id?', name: 'cases', component: { template: '<div />' } }] })
const plugins = () => [router(), i18n, [VueQueryPlugin, { queryClient: createQueryClient() }] as [typeof VueQueryPlugin, object]]

beforeEach(() => {
  localStorage.clear()
  locale.value = 'zh'
})

describe('the work on a case', () => {
  const entry: WorkEntry = { at: '2024-01-01 08:05:00', by: '李警官', from: 'new', to: 'investigating', note: '', reason: 'photos' }
  const record = { id: '7e3c8c7395193060', status: 'investigating' as WorkStatus, version: 1, allowed: ['confirmed', 'dismissed'] as WorkStatus[], history: [entry] }

  function panel(of: Partial<typeof record> = {}) {
    const answer = { code: 200, msg: 'success', data: { ...record, ...of } }
    const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(() => Promise.resolve(new Response(JSON.stringify(answer))))
    const wrapper = mount(WorkPanel, { props: { kind: 'cases', record: { ...record, ...of } }, global: { plugins: plugins() } })
    const press = (text: string) => wrapper.findAll('button').find((button) => button.text() === text)?.trigger('click')
    return { wrapper, fetched, press }
  }

  test('sends state, reason, note, name and version, and forgets reason and note', async () => {
    const { wrapper, fetched, press } = panel()
    await wrapper.get('input').setValue('王警官')
    await wrapper.get('select').setValue('stopped')
    await wrapper.get('textarea').setValue('现场查获')
    await press('确认套牌')
    await flushPromises()
    const [url, init] = fetched.mock.calls[0] ?? []
    expect([url, init?.method]).toEqual(['/api/cases/7e3c8c7395193060', 'PATCH'])
    expect(JSON.parse(String(init?.body))).toEqual({ status: 'confirmed', reason: 'stopped', note: '现场查获', by: '王警官', version: 1 })
    expect([wrapper.get('select').element.value, wrapper.get('textarea').element.value]).toEqual(['', ''])
    expect(wrapper.get('[role=status]').text()).toBe('已保存')
  })

  test('asks for a name first, and for a note to take it up again', async () => {
    const { wrapper, fetched, press } = panel({ status: 'dismissed', allowed: ['investigating'] })
    await press('重新研判')
    expect(wrapper.get('[role=status]').text()).toBe('请填写处理人')
    await wrapper.get('input').setValue('王警官')
    await press('重新研判')
    expect(wrapper.get('[role=status]').text()).toBe('重新研判需要写明原因')
    expect(fetched).not.toHaveBeenCalled()
  })

  test('offers every reason in words, and shows that of the history', () => {
    const { wrapper } = panel()
    expect(wrapper.findAll('option').map((option) => option.text())).toEqual(['未选择', '现场查获', '图像比对', '车主证实', '号牌误识别', '设备时钟错误', '同号不同种类', '正常行驶', '其他'])
    expect(wrapper.get('ol').text()).toContain('图像比对')
  })
})

test('the list has plate, probability, cause, state, contradictions, time and sentence; beside a case the main ones', async () => {
  const found = {
    seq: 1, id: '7e3c8c7395193060', hphm: '苏C12345', probability: 0.97, cause: 'clone', status: 'new', contradictions: 3, last_time: '2024-01-01 09:12:30',
    strongest: { gap_seconds: 240, fastest_seconds: 1290 },
  } as CaseBrief
  const wrapper = mount(CaseTable, { props: { cases: [found], selected: null, narrow: false }, global: { plugins: plugins() } })
  const cells = () => wrapper.findAll('tbody td').map((cell) => cell.text())
  expect(cells()).toEqual(['97%', '苏C12345', '套牌', '新建', '3', '01-01 09:12:30', '3 次矛盾：两地间最快 21 分，实测 4 分'])
  expect(wrapper.get('tbody a').attributes()).toMatchObject({ href: '/cases/7e3c8c7395193060', 'aria-label': '查看嫌疑车辆 苏C12345' })
  await wrapper.setProps({ selected: found.id, narrow: true })
  expect(cells()).toHaveLength(5)
  expect(wrapper.get('tbody tr').attributes('aria-selected')).toBe('true')
})

// @vitest-environment jsdom
import { mount } from '@vue/test-utils'
import { expect, test, vi } from 'vitest'
import { ref } from 'vue'

import { ApiError } from '@/api/client'
import AppPanel from '@/components/AppPanel.vue'
import { i18n } from '@/i18n'

function panel(data: unknown, error: Error | null, empty = false) {
  const refetch = vi.fn()
  const wrapper = mount(AppPanel, {
    props: { title: 'Title', query: { data: ref(data), error: ref(error), refetch }, empty },
    slots: { default: '<p class="content">content</p>' },
    global: { plugins: [i18n] },
  })
  return { wrapper, refetch, text: wrapper.text(), content: wrapper.find('.content').exists() }
}

test('waits while there is neither data nor an error', () => {
  const { wrapper, content } = panel(undefined, null)
  expect(content).toBe(false)
  expect(wrapper.find('section').attributes('aria-busy')).toBe('true')
  expect(wrapper.text()).toContain('正在加载')
})

test('shows data', () => {
  expect(panel({ any: 1 }, null).content).toBe(true)
})

test('says that there is nothing', () => {
  const { content, text } = panel([], null, true)
  expect(content).toBe(false)
  expect(text).toContain('暂无数据')
})

test('says what went wrong, and tries again when asked', async () => {
  const { wrapper, refetch, text } = panel(undefined, new ApiError(400, '`limit` must be a whole number'))
  expect(text).toContain('`limit` must be a whole number')
  await wrapper.get('button').trigger('click')
  expect(refetch).toHaveBeenCalledOnce()
})

test('does not ask again for what one may not see', () => {
  const { wrapper, text } = panel(undefined, new ApiError(403, 'outside your area'))
  expect(text).toContain('outside your area')
  expect(wrapper.find('button').exists()).toBe(false)
})

test('says that the server is away', () => {
  expect(panel(undefined, new ApiError(0, 'Failed to fetch')).text).toContain('无法连接服务器')
})

test('keeps earlier data in sight when newer cannot be had, and says so', () => {
  const { content, text } = panel({ any: 1 }, new ApiError(0, 'Failed to fetch'))
  expect(content).toBe(true)
  expect(text).toContain('显示的是之前的数据')
})

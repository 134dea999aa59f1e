// @vitest-environment jsdom
import { enableAutoUnmount } from '@vue/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'

import BarList from '@/components/BarList.vue'

import { show } from './mount'

enableAutoUnmount(afterEach)

const bars = ['大众', '别克', '东风', '五菱'].map((label, index) => ({ key: label, label, value: 100 - index }))

test('bars that do not fit are left out, the shortest first', async () => {
  let resize: (height: number) => void = () => undefined
  vi.stubGlobal('ResizeObserver', class {
    constructor(report: (entries: unknown[]) => void) {
      resize = (height) => report([{ contentRect: { width: 200, height } }])
    }
    observe = () => undefined
    disconnect = () => undefined
  })
  const { wrapper } = await show(BarList, { props: { bars, rows: 8 } })
  const shown = async (height: number) => {
    resize(height)
    await nextTick()
    return [wrapper.findAll('.label').map((label) => label.text()).join(), wrapper.get('ol').attributes('style')]
  }
  // A row has at least 1.25 rem of 16 px.
  expect(await shown(160)).toEqual(['大众,别克,东风,五菱', expect.stringContaining('repeat(8,')])
  expect(await shown(70)).toEqual(['大众,别克,东风', expect.stringContaining('repeat(3,')])
  expect(await shown(5)).toEqual(['大众', expect.stringContaining('repeat(1,')])
})

import { describe, expect, test } from 'vitest'
import { nextTick, ref, shallowRef } from 'vue'

import { useHeldList } from '@/composables/useHeldList'

const entries = (...seqs: number[]) => seqs.map((seq) => ({ seq, status: 'new' }))
const seqsOf = (list: readonly { seq: number }[]) => list.map(({ seq }) => seq)

function held() {
  const list = shallowRef<{ seq: number; status: string }[]>(entries(3, 2, 1))
  const key = ref('page 1')
  return { list, key, ...useHeldList(list, key) }
}

describe('a list under the pointer', () => {
  test('follows while nobody is in it', async () => {
    const { list, shown, waiting } = held()
    list.value = entries(5, 4, 3)
    await nextTick()
    expect([seqsOf(shown.value), waiting.value]).toEqual([[5, 4, 3], 0])
  })

  test('holds still and counts what waits, until it is asked for or left', async () => {
    const { list, shown, waiting, show, pointer } = held()
    pointer.value = true
    list.value = entries(5, 4, 3)
    await nextTick()
    expect([seqsOf(shown.value), waiting.value]).toEqual([[3, 2, 1], 2])
    show()
    expect([seqsOf(shown.value), waiting.value]).toEqual([[5, 4, 3], 0])
    list.value = entries(6, 5, 4)
    await nextTick()
    expect([seqsOf(shown.value), waiting.value]).toEqual([[5, 4, 3], 1])
    pointer.value = false
    await nextTick()
    expect([seqsOf(shown.value), waiting.value]).toEqual([[6, 5, 4], 0])
  })

  test('shows what changed in an entry, the focus in it or not', async () => {
    const { list, shown, focus } = held()
    focus.value = true
    list.value = [{ seq: 4, status: 'new' }, { seq: 3, status: 'confirmed' }, { seq: 2, status: 'new' }]
    await nextTick()
    expect(shown.value.map(({ seq, status }) => [seq, status])).toEqual([[3, 'confirmed'], [2, 'new'], [1, 'new']])
  })

  test('gives way to another list at once', async () => {
    const { list, key, shown, pointer } = held()
    pointer.value = true
    key.value = 'page 2'
    list.value = entries(9, 8)
    await nextTick()
    expect(seqsOf(shown.value)).toEqual([9, 8])
    list.value = []
    await nextTick()
    expect(shown.value).toEqual([])
  })
})

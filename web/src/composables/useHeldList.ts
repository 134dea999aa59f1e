/**
 * A list that does not move while the pointer or the keyboard focus is in it: new entries wait, and their number is shown.
 * Changes of visible entries are shown at once.
 */
import { computed, ref, shallowRef, watch, type Ref } from 'vue'

interface Entry {
  seq: number
}

/** `list` is the current list, newest first; a different `key` (filters, page) means another list, which is shown at once. */
export function useHeldList<T extends Entry>(list: Ref<readonly T[]>, key: Ref<string>) {
  const pointer = ref(false)
  const focus = ref(false)
  const held = computed(() => pointer.value || focus.value)
  const shown = shallowRef<readonly T[]>(list.value)
  let shownKey = key.value

  function show() {
    shown.value = list.value
    shownKey = key.value
  }

  watch([list, held], () => {
    if (!held.value || key.value !== shownKey || shown.value.length === 0 || list.value.length === 0) return show()
    const newest = new Map(list.value.map((entry) => [entry.seq, entry]))
    shown.value = shown.value.map((entry) => newest.get(entry.seq) ?? entry)
  })

  const known = computed(() => new Set(shown.value.map(({ seq }) => seq)))
  const waiting = computed(() => (held.value ? list.value.filter(({ seq }) => !known.value.has(seq)).length : 0))
  return { shown, waiting, show, pointer, focus }
}

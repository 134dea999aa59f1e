import { onUnmounted, readonly, ref } from 'vue'

/** Whether the person has asked their system for less motion. */
export function useReducedMotion() {
  const query = window.matchMedia('(prefers-reduced-motion: reduce)')
  const reduced = ref(query.matches)
  const update = () => {
    reduced.value = query.matches
  }
  query.addEventListener('change', update)
  onUnmounted(() => query.removeEventListener('change', update))
  return readonly(reduced)
}

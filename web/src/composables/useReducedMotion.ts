import { onUnmounted, readonly, ref } from 'vue'

/** Whether the system is set to reduced motion. */
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

import { onMounted, onUnmounted, ref } from 'vue'

/** The root font size in pixels, which scales with the window; charts scale with it. */
export function useRem() {
  const rem = ref(16)
  const measure = () => {
    rem.value = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16
  }
  onMounted(() => {
    measure()
    window.addEventListener('resize', measure)
  })
  onUnmounted(() => window.removeEventListener('resize', measure))
  return rem
}

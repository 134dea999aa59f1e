import { onUnmounted, readonly, ref } from 'vue'

/** The browser's clock in milliseconds, every second. */
export function useNow(everyMs = 1000) {
  const now = ref(Date.now())
  const timer = setInterval(() => {
    now.value = Date.now()
  }, everyMs)
  onUnmounted(() => clearInterval(timer))
  return readonly(now)
}

import { onUnmounted, readonly, ref } from 'vue'

/** Seconds that are left of a wait; 0 when it is over. */
export function useCountdown() {
  const left = ref(0)
  let until = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function stop() {
    clearInterval(timer)
    left.value = 0
  }

  function tick() {
    left.value = Math.max(0, Math.ceil((until - Date.now()) / 1000))
    if (left.value === 0) stop()
  }

  function start(seconds: number) {
    stop()
    until = Date.now() + 1000 * seconds
    timer = setInterval(tick, 1000)
    tick()
  }

  onUnmounted(stop)
  return { left: readonly(left), start, stop }
}

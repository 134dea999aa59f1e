import { onMounted, onUnmounted, ref } from 'vue'

/** Full screen of the whole page, and whether it is on, however it was switched. */
export function useFullscreen() {
  const on = ref(false)
  const supported = document.fullscreenEnabled
  const update = () => {
    on.value = document.fullscreenElement !== null
  }
  onMounted(() => {
    update()
    document.addEventListener('fullscreenchange', update)
  })
  onUnmounted(() => document.removeEventListener('fullscreenchange', update))

  async function toggle(): Promise<void> {
    // A browser may refuse, for example in a frame; then nothing changes.
    await (document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen()
    ).catch(() => undefined)
  }
  return { on, supported, toggle }
}

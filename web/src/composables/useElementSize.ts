import { onMounted, onUnmounted, reactive, type Ref } from 'vue'

/** The size of an element's content in pixels, kept up to date. */
export function useElementSize(element: Ref<HTMLElement | null>) {
  const size = reactive({ width: 0, height: 0 })
  const observer = new ResizeObserver(([entry]) => {
    if (!entry) return
    size.width = entry.contentRect.width
    size.height = entry.contentRect.height
  })
  onMounted(() => element.value && observer.observe(element.value))
  onUnmounted(() => observer.disconnect())
  return size
}

/** Whether the server can be reached, as seen by the requests of the page. Shared by the whole page. */
import { readonly, ref } from 'vue'

const offlineSince = ref<number | null>(null)

/** When the first of the failing requests failed, in the browser's milliseconds; null while the server answers. */
export const unreachableSince = readonly(offlineSince)

export function reportUnreachable(): void {
  offlineSince.value ??= Date.now()
}

export function reportReachable(): void {
  offlineSince.value = null
}

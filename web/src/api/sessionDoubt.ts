/** Answers that contradict the session which the page holds: it has ended, or is another. Shared by the whole page. */
import { readonly, ref } from 'vue'

const count = ref(0)

/** How many there were; a change means that the session must be read again. */
export const sessionDoubts = readonly(count)

export function reportSessionDoubt(): void {
  count.value += 1
}

/** The pages of the navigation that the user may see. */
import { computed } from 'vue'
import { useRouter } from 'vue-router'

import { may, session } from '@/api/access'
import { deniedBy, PAGES } from '@/router'

export function usePages() {
  const router = useRouter()
  return computed(() =>
    PAGES.filter((name) => {
      const page = router.resolve({ name })
      return deniedBy(page, may) === null && !(page.meta.ofUsers && session.value?.access !== 'login')
    }),
  )
}

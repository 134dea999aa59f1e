/** A page that lists records and opens one of them: the address `/<page>/:id?` holds the filters, the page and the open record. */
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

import { useUrlFilters } from './useUrlFilters'

export function useRecordRoute<K extends string>(name: string, keys: readonly K[]) {
  const route = useRoute()
  const router = useRouter()
  const selected = computed(() => {
    const { id } = route.params
    return typeof id === 'string' && id ? id : null
  })
  return {
    ...useUrlFilters(keys),
    selected,
    goTo: (page: number) => void router.push({ path: route.path, query: { ...route.query, page: page > 1 ? String(page) : undefined } }),
    close: () => void router.push({ name, query: route.query }),
  }
}

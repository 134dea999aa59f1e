import { computed } from 'vue'
import { type LocationQueryValue, useRoute, useRouter } from 'vue-router'

function first(value: LocationQueryValue | LocationQueryValue[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/**
 * Filters in the address, so that a view can be shared. `keys` are the parameters that belong to the
 * page; an empty one is left out of the address. A change goes to the first page unless it sets one.
 */
export function useUrlFilters<K extends string>(keys: readonly K[]) {
  const route = useRoute()
  const router = useRouter()

  const filters = computed(() => Object.fromEntries(keys.map((key) => [key, first(route.query[key])])) as Record<K, string>)

  function apply(changes: Partial<Record<K | 'page', string>>): Promise<unknown> {
    const next: Record<string, string> = { ...filters.value, page: '', ...changes }
    const query = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== ''))
    return router.push({ path: route.path, query })
  }

  const page = computed(() => Math.max(1, Math.trunc(Number(first(route.query.page))) || 1))
  const active = computed(() => keys.some((key) => key !== ('page' as K) && filters.value[key] !== ''))
  const clear = () => router.push({ path: route.path, query: {} })

  return { filters, page, active, apply, clear }
}

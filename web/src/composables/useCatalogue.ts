import { computed } from 'vue'

import { useCheckpoints } from '@/api/queries'
import { Catalogue } from '@/lib/catalogue'

/** The known checkpoints; empty until they are loaded. */
export function useCatalogue() {
  const query = useCheckpoints()
  const catalogue = computed(() => new Catalogue(query.data.value ?? []))
  return { query, catalogue }
}

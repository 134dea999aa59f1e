/** The columns of the result and which of them are shown; the choice is stored in this browser. */
import { ref, watch } from 'vue'

import type { Passage } from '@/api/types'

export type ColumnName = keyof Passage

/** In the order in which they are shown and exported; `width` in rem. */
export const COLUMNS: readonly { name: ColumnName; width: number; grows?: boolean }[] = [
  { name: 'GCSJ', width: 12.75 },
  { name: 'HPHM', width: 8.25 },
  { name: 'KKMC_LABEL', width: 12, grows: true },
  { name: 'XZQHMC', width: 6.75 },
  { name: 'FXLX', width: 5.75 },
  { name: 'CLPPXH', width: 11.5, grows: true },
  { name: 'VEHICLE_TYPE_NAME', width: 6.25 },
  { name: 'HPZL', width: 12 },
  { name: 'FUEL_TYPE', width: 7.5 },
  { name: 'PROVINCE', width: 7 },
  { name: 'GCXH', width: 14 },
  { name: 'KKMC', width: 20, grows: true },
]

/** Always shown: it links to the track. */
export const FIXED: ColumnName = 'HPHM'
const DEFAULT: ColumnName[] = ['GCSJ', 'HPHM', 'KKMC_LABEL', 'XZQHMC', 'FXLX', 'CLPPXH', 'VEHICLE_TYPE_NAME', 'HPZL', 'FUEL_TYPE', 'GCXH']
const STORED_AS = 'platewatch.queryColumns'

/** The column names in `names`, in the order of the columns, with the one that is always shown. */
export function inOrder(names: readonly string[]): ColumnName[] {
  return COLUMNS.map(({ name }) => name).filter((name) => name === FIXED || names.includes(name))
}

function stored(): ColumnName[] {
  const text = localStorage.getItem(STORED_AS)
  return text === null ? DEFAULT : inOrder(text.split(','))
}

export function useColumns() {
  const chosen = ref<ColumnName[]>(stored())
  watch(chosen, (names) => localStorage.setItem(STORED_AS, names.join(',')))
  function choose(names: readonly string[]) {
    chosen.value = inOrder(names)
  }
  return { chosen, choose, reset: () => choose(DEFAULT) }
}

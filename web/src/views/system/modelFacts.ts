/** What a status says of the model, flat: names with values that can be shown. Knows no model in particular. */
export interface ModelFact {
  name: string
  value: string | number
}

export function modelFacts(model: unknown): ModelFact[] {
  if (model === null || typeof model !== 'object') return []
  return Object.entries(model).flatMap(([name, value]): ModelFact[] => {
    if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return [{ name, value }]
    if (typeof value === 'boolean') return [{ name, value: value ? '✓' : '—' }]
    if (Array.isArray(value)) return [{ name, value: value.length }]
    return []
  })
}

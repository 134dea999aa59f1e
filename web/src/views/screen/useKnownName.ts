import { useI18n } from 'vue-i18n'

/** Names that the server defines (vehicle types, 未知) in the current language; all others unchanged. */
export function useKnownName() {
  const { t, te } = useI18n()
  return (name: string) => (te(`screen.name.${name}`) ? t(`screen.name.${name}`) : name)
}

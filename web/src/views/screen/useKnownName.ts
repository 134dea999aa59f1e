import { useI18n } from 'vue-i18n'

/** The names that the server itself gives (types of vehicle, 未知) in the language in use; all others as they are. */
export function useKnownName() {
  const { t, te } = useI18n()
  return (name: string) => (te(`screen.name.${name}`) ? t(`screen.name.${name}`) : name)
}

import { watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'

/** Keeps the window's title: page and product. */
export function useTitle(): void {
  const route = useRoute()
  const { t } = useI18n()
  watchEffect(() => {
    const page = route.meta.title ? `${t(route.meta.title)} · ` : ''
    document.title = `${page}${t('common.product')} · Platewatch`
  })
}

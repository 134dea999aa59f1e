import { watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'

/** Keeps the window's title: page and product. `instead` is the key of what is shown instead of the page. */
export function useTitle(instead: () => string | undefined): void {
  const route = useRoute()
  const { t } = useI18n()
  watchEffect(() => {
    const title = instead() ?? route.meta.title
    const page = title ? `${t(title)} · ` : ''
    document.title = `${page}${t('common.product')} · Platewatch`
  })
}

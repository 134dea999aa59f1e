import './styles/fonts.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/forms.css'
import './styles/print.css'

import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'

import { createQueryClient } from './api/queryClient'
import App from './App.vue'
import { i18n } from './i18n'
import { reloadWhenChunksAreGone } from './lib/missingChunks'
import { createPageRouter } from './router'

const router = createPageRouter()
reloadWhenChunksAreGone(router)

createApp(App)
  .use(router)
  .use(i18n)
  .use(VueQueryPlugin, { queryClient: createQueryClient() })
  .mount('#app')

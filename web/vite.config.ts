// Builds the page into ../web-dist, which the program embeds; the same sources give the same bytes.
import { fileURLToPath } from 'node:url'

import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// The server that the development page talks to, such as `platewatch demo`.
const server = process.env.PLATEWATCH_URL ?? 'http://127.0.0.1:5000'
const proxy = Object.fromEntries(['/api', '/healthz', '/readyz', '/metrics'].map((path) => [path, { target: server, changeOrigin: false }]))

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  server: { proxy, host: '127.0.0.1' },
  build: {
    outDir: '../web-dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no data: URL but for pictures.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts'],
    restoreMocks: true,
    // These import style sheets, which only Vite can.
    server: { deps: { inline: [/element-plus\/(es\/components\/[\w-]+\/style|theme-chalk)\//] } },
  },
})

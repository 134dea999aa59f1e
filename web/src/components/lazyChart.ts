/** `BaseChart`, with ECharts in a chunk of its own so that numbers do not wait for it. */
import { defineAsyncComponent } from 'vue'

export const LazyChart = defineAsyncComponent(() => import('./BaseChart.vue'))

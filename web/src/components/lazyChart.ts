/** `BaseChart` with ECharts as a chunk of its own: numbers must not wait for it. */
import { defineAsyncComponent } from 'vue'

export const LazyChart = defineAsyncComponent(() => import('./BaseChart.vue'))

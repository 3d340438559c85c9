export type { CacheMetrics, CacheMetricsOptions } from './cache-metrics.js'
export { cacheMetrics } from './cache-metrics.js'

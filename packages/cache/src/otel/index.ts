export type { MeasureOptions } from './measure-caches.js'
export { measureCaches } from './measure-caches.js'
export type { TraceOptions } from './trace-caches.js'
export { traceCaches } from './trace-caches.js'

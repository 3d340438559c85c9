export type { SampleRows, SampleSize } from './sample-rows.js'
export { sampleRows } from './sample-rows.js'
export type { Seeded } from './seed.js'
export { seed } from './seed.js'

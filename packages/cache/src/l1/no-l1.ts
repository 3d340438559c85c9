import type { L1 } from './l1.js'

/** Keeps nothing: for values that are asked for once, or whose memory belongs to others. */
export const noL1 = (): L1 => ({
  get: () => undefined,
  peek: () => undefined,
  set: () => undefined,
  delete: () => undefined,
  clear: () => undefined,
  keys: () => [],
  entries: 0,
  sizeBytes: 0,
})

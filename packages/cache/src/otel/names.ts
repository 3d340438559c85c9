import type { L2Call } from '../events/cache-events.js'

export const scope = 'tidemark.cache'

/** Those of the semantic conventions where they have one (`db.*`, `error.type`); there are none for caches. */
export const attributes = {
  namespace: `${scope}.namespace`,
  kind: `${scope}.kind`,
  keys: `${scope}.keys`,
  keyCount: `${scope}.key_count`,
  result: `${scope}.result`,
  call: `${scope}.call`,
  system: 'db.system.name',
  operation: 'db.operation.name',
  errorType: 'error.type',
} as const

/** What goes to Redis for each. */
export const operations: Readonly<Record<L2Call, string>> = { read: 'MGET', claim: 'SET', store: 'EVALSHA' }

import { randomBytes } from 'node:crypto'

import { stores } from './shared-stores.js'

export interface RedisSpace {
  readonly url: string
  /** For `TIDEMARK_PREFIX`: no other test has it, so tests share one Redis without meeting. */
  readonly prefix: string
}

/** A space of its own on the shared Redis. */
export function redisSpace(): RedisSpace {
  return { url: stores().redisUrl, prefix: `t${randomBytes(8).toString('hex')}` }
}

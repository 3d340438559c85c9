import type { Instant, Token } from '@tidemark/tide'
import type { Cluster, Redis } from 'ioredis'

import { CacheError } from './cache-error.js'
import type { L1, L1Options } from './l1/l1.js'
import type { CodecChoice } from './l2/choose-codec.js'
import type { CompressOptions } from './l2/compress.js'
import type { EncryptOptions } from './l2/encrypt.js'
import type { GuardedRedis } from './l2/guarded-redis.js'
import type { PolicyOptions } from './policy.js'
import type { Schedule } from './schedule.js'
import type { Tide } from './tide.js'

/** Announces a change that no trigger can see. Resolves with its token, where there is one, once it is in the log. */
export type Invalidate = (tags: readonly string[], reason?: string) => Promise<Token | undefined>

export interface CacheLimits {
  /** Loads running at once. Default 128. */
  readonly maxLoads?: number
  /** Loads waiting for their turn. Default 4,096. */
  readonly maxQueuedLoads?: number
  /** Calls waiting for one load. Default 10,000. */
  readonly maxJoiners?: number
  /** Keys in one `getOrSetMany`. Default 1,000. */
  readonly maxKeys?: number
  /** Hot keys that `refreshOnSink` looks after. Default 256. */
  readonly maxHotKeys?: number
  /** Keys whose values sink unused that are known of, for `bypass`. Default 4,096. */
  readonly maxUnusedKeys?: number
}

export interface CacheOptions {
  /**
   * The log that says what has changed. Default: invalidations are numbered by `redis`, or without one in this process alone.
   * It is started here, if it is not yet, and ended by whoever made it.
   */
  readonly follow?: Tide
  /** Letters, digits, `.`, `_` and `-`; stands in the Redis keys. */
  readonly namespace: string
  /**
   * The client for requests: of one server, of a Sentinel's master, of a Cluster; or `guardRedis(client, options)` to set its
   * deadline and breaker. Without: L1 alone.
   */
  readonly redis?: Redis | Cluster | GuardedRedis
  /** Default 'tidemark'. */
  readonly prefix?: string
  /** Bounds, a tier of your own, or false for none. */
  readonly l1?: L1Options | L1 | false
  /** For requests that bring none of their own. */
  readonly policy?: PolicyOptions
  /** Default 'msgpack'. */
  readonly codec?: CodecChoice
  /** Makes large values smaller in Redis. Default false. */
  readonly compress?: false | CompressOptions
  /** For a namespace whose values are nobody else's business: they lie in Redis under lock. */
  readonly encrypt?: EncryptOptions
  /** Announces changes in another way than through the log that is followed. */
  readonly invalidate?: Invalidate
  readonly limits?: CacheLimits
  /** Default: the log's. Must read the clocks that the follower's proof of lag is written in. */
  readonly now?: () => Instant
  readonly random?: () => number
  readonly schedule?: Schedule
}

const namespaceShape = /^[\w.-]{1,64}$/

/** @throws CacheError 'cache.bad-option' */
export function checkOptions({ namespace, prefix, limits, l1 }: CacheOptions): void {
  if (!namespaceShape.test(namespace))
    throw bad(`namespace: "${namespace}" is not 1 to 64 letters, digits, '.', '_' or '-'`)
  if (prefix === '') throw bad('prefix: must not be empty')
  const bounds = l1 === undefined || l1 === false || 'get' in l1 ? {} : l1
  for (const [name, value] of Object.entries({ ...limits, ...bounds }))
    if (!(Number.isInteger(value) && value > 0))
      throw bad(`${name}: ${String(value)} is not a positive integer`)
}

export const bad = (message: string): CacheError => new CacheError('cache.bad-option', message)

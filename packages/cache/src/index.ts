export type { Advice, KindAdvice, KindNumbers } from './advice/advice.js'
export type { TagTally } from './advice/tag-ledger.js'
export type { Answer } from './answer.js'
export type { Cache, ManyAnswers } from './cache.js'
export type { CachedFunction, CachedOptions, Caches } from './cached.js'
export { cached } from './cached.js'
export type { PutOptions, SetOptions } from './changes.js'
export type { CacheErrorCode } from './cache-error.js'
export { CacheError } from './cache-error.js'
export { createCache } from './create-cache.js'
export type { Duration } from './duration.js'
export type { Entry } from './entry.js'
export type {
  CacheEventName,
  CacheEvents,
  ChangeEvent,
  HeldEvent,
  KeyChangeEvent,
  L2Call,
  L2Trace,
  LoadTrace,
  OfKey,
  OfNamespace,
  Tier,
} from './events/cache-events.js'
export type { Measured, Reading, RegistrySeries } from './events/series.js'
export { cacheSeries } from './events/series.js'
export { l2Traces, loadTraces, onCacheEvent } from './events/channels.js'
export type { Explanation, TierExplanation } from './explanation.js'
export type { L1, L1Options } from './l1/l1.js'
export type { CodecChoice } from './l2/choose-codec.js'
export type { Codec } from './l2/codec.js'
export type { CompressOptions } from './l2/compress.js'
export type { EncryptionKey, EncryptOptions } from './l2/encrypt.js'
export type { GuardedRedis, GuardOptions } from './l2/guarded-redis.js'
export type { BreakerState } from './l2/redis-node.js'
export { guardRedis } from './l2/guarded-redis.js'
export type { ListOptions } from './listing.js'
export type { Loader, LoaderOptions } from './loader.js'
export type { CacheLimits, CacheOptions, Invalidate } from './options.js'
export type { Level, Policy, PolicyOptions } from './policy.js'
export { definePolicy } from './policy.js'
export type { OwnersCache, PrivateCache } from './private-cache.js'
export { createPrivateCache } from './private-cache.js'
export type {
  BatchContext,
  FreshnessOptions,
  LoadContext,
  Previous,
  ReadManyRequest,
  ReadRequest,
} from './request.js'
export type { Schedule } from './schedule.js'
export type { CacheStats, Counters } from './stats.js'
export type { Reach, Tide } from './tide.js'

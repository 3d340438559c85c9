import { commonConfig, duration, integer, parseConfig, storeUrl } from '@tidemark/service'
import type { Environment } from '@tidemark/service'
import { z } from 'zod'

const mebibyte = 1_048_576

const schema = commonConfig.extend({
  DATABASE_URL: storeUrl('postgres'),
  REDIS_URL: storeUrl('redis'),
  /** Connections for loads from the origin. */
  DATABASE_POOL: integer({ min: 1, max: 200 }).prefault('10'),
  /** Memory for answers in this process, in MiB. */
  L1_MAX_MIB: integer({ min: 1, max: 65_536 })
    .prefault('256')
    .transform((mebibytes) => mebibytes * mebibyte),
  /** Answers kept in this process, however small. */
  L1_MAX_ENTRIES: integer({ min: 1, max: 10_000_000 }).prefault('200000'),
  /** Streams of changes at one time; the next is answered 503. */
  CHANGES_MAX_SUBSCRIBERS: integer({ min: 0, max: 8_000 }).prefault('1000'),
  /** Longest silence on a stream of changes. */
  CHANGES_HEARTBEAT: duration({ min: '100ms', max: '1m' }).prefault('15s'),
  /** A subscriber that takes nothing for so long is cut off. */
  CHANGES_SLOW_AFTER: duration({ min: '100ms', max: '1m' }).prefault('10s'),
  /** Answers name what they depend on, for a cache in front that is purged by key. */
  SURROGATE_KEYS: z.enum(['true', 'false'], "must be 'true' or 'false'").default('false'),
})

export const readConfig = (env: Environment = process.env) => parseConfig(schema, env)

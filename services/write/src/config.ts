import { commonConfig, duration, integer, parseConfig, storeUrl } from '@tidemark/service'
import type { Environment } from '@tidemark/service'

const schema = commonConfig.extend({
  DATABASE_URL: storeUrl('postgres'),
  REDIS_URL: storeUrl('redis'),
  /** Connections for commands; flushes have a few of their own, so that they never wait behind commands. */
  DATABASE_POOL: integer({ min: 1, max: 200 }).prefault('10'),
  /** How long an Idempotency-Key is remembered. */
  IDEMPOTENCY_TTL: duration({ min: '1m', max: '30d' }).prefault('24h'),
})

export const readConfig = (env: Environment = process.env) => parseConfig(schema, env)

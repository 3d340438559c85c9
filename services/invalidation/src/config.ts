import { commonConfig, duration, httpUrl, integer, parseConfig, secret, storeUrl } from '@tidemark/service'
import type { Environment } from '@tidemark/service'
import { z } from 'zod'
import { sinkList } from './sinks/sink-list.js'
import { readHooks } from './webhooks/read-hooks.js'
import { auditHorizons, auditTargets } from './auditor/targets-config.js'

const schema = commonConfig.extend({
  DATABASE_URL: storeUrl('postgres'),
  REDIS_URL: storeUrl('redis'),
  /** More copies of the log, as of another region: name=url,name=url or JSON. Nobody waits for them. */
  REDIS_SINKS: secret(sinkList()).optional(),
  /** Of the job queues; default REDIS_URL. One that evicts nothing, and that caches nothing, is best. */
  QUEUE_REDIS_URL: storeUrl('redis').optional(),
  /** Of the read services, or of what balances them. Unset: hot keys are not warmed and answers not audited. */
  READ_URL: httpUrl().optional(),
  /** Hot keys loaded again, a second, over all invalidation services. 0: none. */
  WARM_RATE: integer({ min: 0, max: 10_000 }).prefault('200'),
  /** Keys audited, a second, by each invalidation service and of each cache. 0: none. */
  AUDIT_RATE: integer({ min: 0, max: 100 }).prefault('2'),
  /** When an answer is asked for, in milliseconds after the truth was read. */
  AUDIT_HORIZONS: auditHorizons().prefault('0,1000,5000,60000'),
  /** Caches of others, as JSON: see docs/auditor.md. */
  AUDIT_TARGETS: auditTargets().prefault('[]'),
  /** Rest between two flushes: what raw SQL waits to be seen, at most, plus the flush itself. */
  FLUSH_INTERVAL: duration({ min: '1ms', max: '1s' }).prefault('5ms'),
  /** Between two checkpoints: what a reader that starts has to read on from the log. */
  CHECKPOINT_INTERVAL: duration({ min: '100ms', max: '1h' }).prefault('5s'),
  /** The log keeps at least so many positions, and at least those younger than LOG_KEEP_AGE. */
  LOG_KEEP_POSITIONS: integer({ min: 1_000, max: 100_000_000 }).prefault('100000'),
  LOG_KEEP_AGE: duration({ min: '1m', max: '30d' }).prefault('1h'),
  /** Beyond these it keeps what a sink or a durable cursor still needs, up to so many positions in all. */
  LOG_KEEP_MAX_POSITIONS: integer({ min: 1_000, max: 1_000_000_000 }).prefault('1000000'),
  /** How long an Idempotency-Key is remembered. */
  IDEMPOTENCY_TTL: duration({ min: '1m', max: '30d' }).prefault('24h'),
  /** Opens /admin, the dead letters and the cursors to whoever knows it. */
  ADMIN_TOKEN: secret(
    z.string().regex(/^[\x21-\x7e]{16,500}$/, 'must be 16 to 500 visible ASCII characters'),
  ).optional(),
  /** Who is told of changes, see docs/webhooks.md: a JSON array, or a file that holds one. */
  WEBHOOKS: secret(z.string()).optional(),
  WEBHOOKS_FILE: z.string().optional(),
})

export function readConfig(env: Environment = process.env) {
  const config = parseConfig(schema, env)
  return { ...config, hooks: readHooks(config, env) }
}

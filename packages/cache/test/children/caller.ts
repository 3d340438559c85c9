/** One process that asks for one cold key many times at once. Its loader counts in Redis how often the origin is asked. */

import { createCache, guardRedis } from '../../src/index.js'
import { handLog } from '../../src/testing/index.js'
import { connect } from '../real-redis.js'

interface Orders {
  readonly url: string
  readonly prefix: string
  readonly callers: number
  readonly loadMs: number
  readonly lease: number
}

const orders = JSON.parse(process.argv[2]!) as Orders
const redis = await connect(orders.url)
const tide = handLog()
const started = performance.now()
const now = () => ({ monoMs: 1_000 + performance.now() - started, wallMs: Date.now() })
const cache = createCache({
  follow: tide,
  now,
  // On a busy machine a slow answer would cost a lease, by right; what is tried here is the lease.
  redis: guardRedis(redis, { deadlineMs: 5_000 }),
  prefix: orders.prefix,
  namespace: 'lease',
  policy: { ttl: '1h', lease: orders.lease, maxLag: Infinity },
})

async function load(): Promise<string> {
  await redis.incr(`${orders.prefix}:origin`)
  process.send!({ type: 'loading' })
  await new Promise((resolve) => setTimeout(resolve, orders.loadMs))
  return `loaded by ${process.pid}`
}

process.on('message', () => {
  const key = 'cold'
  const startMs = performance.now()
  const calls = Array.from({ length: orders.callers }, () => cache.getOrSet({ key, tags: ['t'], load }))
  void Promise.all(calls).then((values) => {
    process.send!({ type: 'done', values: [...new Set(values)], tookMs: performance.now() - startMs })
  })
})
process.send!({ type: 'ready' })

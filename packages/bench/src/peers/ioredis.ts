import { connect } from './connect.js'
import type { Peer, Value } from './peer.js'
import { ttlMs } from './peer.js'

const channel = 'bench:ioredis'

/**
 * GET and JSON.parse, SET on a miss; with the bus, a Map before it and DEL + PUBLISH. No shared loads, no fence. Default
 * options, so one write a command: its auto-pipelining raises p99.
 */
export const ioredis: Peer = {
  name: 'bare ioredis',
  kind: 'floor',
  tiers: ['l2', 'l1+l2'],
  hasBus: true,
  async open({ tiers, bus, redisUrl, load }) {
    const redis = connect(redisUrl)
    const held = tiers === 'l2' ? undefined : new Map<string, Value>()
    const subscriber = bus ? connect(redisUrl) : undefined
    subscriber?.on('message', (_, key) => held?.delete(key))
    await subscriber?.subscribe(channel)
    return {
      get: (key) => held?.get(key) ?? find(key),
      invalidate: (key) => Promise.all([redis.del(key), redis.publish(channel, key)]),
      close() {
        subscriber?.disconnect()
        redis.disconnect()
        return Promise.resolve()
      },
    }

    async function find(key: string): Promise<Value> {
      const text = await redis.get(key)
      const value = text === null ? await load(key) : (JSON.parse(text) as Value)
      if (text === null) await redis.set(key, JSON.stringify(value), 'PX', ttlMs)
      held?.set(key, value)
      return value
    }
  },
}

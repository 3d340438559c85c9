/**
 * The cache that everyone writes first: a Map, GET and SET, pub/sub. It is here to lose every race, so that the suite is
 * seen to catch what it is made for. Where one carelessness hides another, it can be left out.
 */

import { randomUUID } from 'node:crypto'

import { Redis } from 'ioredis'

import type { Offer, RaceAdapter, RaceInstance, RaceSetup } from '../../src/testing/index.js'

export interface NaiveOptions {
  /** One load for all calls of one key in the process, whatever happened since it began. */
  readonly sharesLoads?: boolean
  /** A lock in Redis around loads, which nobody breaks. */
  readonly locks?: boolean
  /** Tells the others what it has loaded, and they believe it. */
  readonly shipsValues?: boolean
  /** Does not listen. */
  readonly isDeaf?: boolean
  /** Pings its subscription and does not look whether that worked. */
  readonly hasHeartbeat?: boolean
}

interface Message {
  readonly from: string
  readonly key: string
  readonly value?: unknown
}

const ttlDefaultMs = 600_000
const offers: readonly Offer[] = ['memory', 'redis', 'bus', 'tags', 'many', 'clear', 'put', 'redelivery']

export const naive = (options: NaiveOptions = {}): RaceAdapter => ({
  name: 'naive',
  offers,
  open: (setup) => open(setup, options),
})

async function open({ redisUrl, namespace }: RaceSetup, options: NaiveOptions): Promise<RaceInstance> {
  const [redis, subscriber] = [connect(redisUrl), connect(redisUrl)]
  const from = randomUUID()
  const held = new Map<string, { value: unknown; until: number }>()
  const loading = new Map<string, Promise<unknown>>()
  const heard: Message[] = []
  const nameOf = (key: string): string => `${namespace}:${key}`
  const hold = (key: string, value: unknown, ttlMs: number): void => {
    held.set(key, { value, until: performance.now() + ttlMs })
  }
  const hear = ({ key, value }: Message): void => {
    if (value === undefined) held.delete(key)
    else hold(key, value, ttlDefaultMs)
  }
  if (options.isDeaf !== true) {
    subscriber.on('message', (_, text) => {
      const message = JSON.parse(text) as Message
      if (message.from === from) return
      heard.push(message)
      hear(message)
    })
    await subscriber.subscribe(namespace)
  }
  const heartbeat = options.hasHeartbeat === true ? setInterval(() => void subscriber.ping(), 20) : undefined

  const keep = async (key: string, value: unknown, ttlMs: number, tags: readonly string[]): Promise<void> => {
    hold(key, value, ttlMs)
    await redis.set(nameOf(key), JSON.stringify(value), 'PX', ttlMs).catch(ignore)
    for (const tag of tags) await redis.sadd(nameOf(`tag:${tag}`), key).catch(ignore)
    if (options.shipsValues === true)
      await redis.publish(namespace, JSON.stringify({ from, key, value })).catch(ignore)
  }
  const loadAlone = async (key: string, load: () => Promise<unknown>): Promise<unknown> => {
    if (options.sharesLoads !== true) return load()
    const running = loading.get(key) ?? load().finally(() => loading.delete(key))
    loading.set(key, running)
    return running
  }
  const invalidateKey = async (key: string): Promise<void> => {
    held.delete(key)
    await redis.del(nameOf(key)).catch(ignore)
    await redis.publish(namespace, JSON.stringify({ from, key })).catch(ignore)
  }
  const getOrSet: RaceInstance['getOrSet'] = async (key, load, { ttlMs = ttlDefaultMs, tags = [] } = {}) => {
    const entry = held.get(key)
    if (entry && entry.until > performance.now()) return entry.value
    for (;;) {
      const text = await redis.get(nameOf(key)).catch(ignore)
      const value = text ? (JSON.parse(text) as unknown) : undefined
      if (value) {
        hold(key, value, ttlMs)
        return value
      }
      if (options.locks !== true || (await redis.set(nameOf(`lock:${key}`), '1', 'NX')) !== null) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const loaded = await loadAlone(key, load)
    if (loaded) await keep(key, loaded, ttlMs, tags)
    if (options.locks === true) await redis.del(nameOf(`lock:${key}`))
    return loaded
  }

  return {
    getOrSet,
    invalidateKey,
    async invalidateTag(tag) {
      for (const key of await redis.smembers(nameOf(`tag:${tag}`))) await invalidateKey(key)
    },
    async getMany(keys, load) {
      const missing = keys.filter((key) => !held.has(key))
      const loaded = missing.length > 0 ? await load(missing) : new Map<string, unknown>()
      for (const [key, value] of loaded) await keep(key, value, ttlDefaultMs, [])
      return new Map(keys.map((key) => [key, held.get(key)?.value]))
    },
    async clear() {
      held.clear()
      const keys = await redis.keys(nameOf('*'))
      if (keys.length > 0) await redis.del(keys)
    },
    async put(key, value) {
      await keep(key, value, ttlDefaultMs, [])
    },
    redeliver() {
      for (const message of heard.toReversed()) hear(message)
      return Promise.resolve(heard.length)
    },
    close() {
      clearInterval(heartbeat)
      for (const client of [redis, subscriber]) client.disconnect()
      return Promise.resolve()
    },
  }
}

function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, enableOfflineQueue: true })
  redis.on('error', ignore)
  return redis
}

const ignore = (): undefined => undefined

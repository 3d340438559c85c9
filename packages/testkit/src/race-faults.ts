import { Redis } from 'ioredis'

import { faultProxy } from './fault-proxy.js'
import type { FaultProxy } from './fault-proxy.js'

/** What `raceSuite` of @tidemark/cache/testing breaks things with. */
export interface RaceFaults {
  route(): Promise<FaultProxy>
  /** Notes the keys whose name contains `text`; the function brings back those that are gone by then, and counts them. */
  remember(text: string): Promise<() => Promise<number>>
  /** No server takes writes until the function is called. */
  refuseWrites(): Promise<() => Promise<void>>
}

const MORE_REPLICAS_THAN_ANY = '99'
const SCAN_COUNT = 1_000

interface Remembered {
  readonly url: string
  readonly key: Buffer
  readonly dump: Buffer
}

/**
 * Faults for the servers at `urls`, of which the first is the one that routes lead to unless `route` is given. They are
 * for a Redis of the test's own: what it refuses it refuses everyone.
 */
export function raceFaults(
  urls: readonly string[],
  route: () => Promise<FaultProxy> = () => faultProxy(urls[0]!),
): RaceFaults {
  return {
    route,
    async remember(text) {
      const all: Remembered[] = []
      for (const url of urls) all.push(...(await on(url, (redis) => dumpAll(redis, url, text))))
      return async () => {
        let count = 0
        for (const { url, key, dump } of all)
          count += await on(url, (redis) =>
            redis.restore(key, 0, dump).then(
              () => 1,
              // It is there: it was not deleted, or has been stored again.
              () => 0,
            ),
          )
        return count
      }
    },
    async refuseWrites() {
      const need = async (replicas: string): Promise<void> => {
        for (const url of urls)
          await on(url, (redis) => redis.config('SET', 'min-replicas-to-write', replicas))
      }
      await need(MORE_REPLICAS_THAN_ANY)
      return () => need('0')
    },
  }
}

async function on<T>(url: string, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 })
  redis.on('error', () => undefined)
  try {
    return await act(redis)
  } finally {
    redis.disconnect()
  }
}

async function dumpAll(redis: Redis, url: string, text: string): Promise<Remembered[]> {
  const found: Remembered[] = []
  for await (const keys of redis.scanBufferStream({ match: `*${text}*`, count: SCAN_COUNT }))
    for (const key of keys as Buffer[]) {
      const dump = await redis.dumpBuffer(key)
      if (dump !== null) found.push({ url, key, dump })
    }
  return found
}

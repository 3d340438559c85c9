import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'

import { eventually } from '@tidemark/testkit'

import { guardRedis } from '../src/index.js'

/** A client that has shown that it works; its errors are for the cache to bear, not for the console. */
export async function connect(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, options)
  client.on('error', () => undefined)
  await eventually(async () => (await client.ping()) === 'PONG')
  return client
}

/**
 * As `connect`, for tests that are not about time: caches on this client wait for Redis as long as a busy machine may take.
 */
export async function connectPatiently(url: string): Promise<Redis> {
  const client = await connect(url)
  guardRedis(client, { deadlineMs: 5_000 })
  return client
}

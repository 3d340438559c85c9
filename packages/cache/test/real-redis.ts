import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'

import { eventually } from '@tidemark/testkit'

/** A client that has shown that it works; its errors are for the cache to bear, not for the console. */
export async function connect(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, options)
  client.on('error', () => undefined)
  await eventually(async () => (await client.ping()) === 'PONG')
  return client
}

import { Redis } from 'ioredis'

/** Empties a Redis while everybody is connected to it, as an operator's slip does: own servers only. */
export async function loseEverything(redisUrl: string): Promise<void> {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 })
  client.on('error', () => undefined)
  try {
    await client.flushall()
  } finally {
    client.disconnect()
  }
}

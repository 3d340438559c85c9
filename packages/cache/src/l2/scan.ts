import { CacheError } from '../cache-error.js'
import type { GuardedRedis } from './guarded-redis.js'

/** How many keys Redis looks at for one answer: it serves nobody else meanwhile. */
const keysPerStep = 512

const escapeGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')

/**
 * The names, beginning with `prefix`, of the keys that are spelled `before`, a name, `after`; a step of Redis' at a time, one
 * server after the other. As with SCAN: what is there from beginning to end comes at least once, the rest may.
 *
 * @throws CacheError 'cache.unavailable' where a server does not answer: a list that ends early would look whole
 */
export async function* scanNames(
  redis: GuardedRedis,
  before: string,
  prefix: string,
  after: string,
): AsyncGenerator<readonly string[], void> {
  for (const node of await redis.nodes()) {
    let cursor = '0'
    do {
      const step = await node.run(async (client) => {
        // ioredis adds its prefix to keys, and a pattern is none.
        const own = client.options.keyPrefix ?? ''
        const pattern = `${escapeGlob(own + before + prefix)}*${escapeGlob(after)}`
        const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', keysPerStep)
        return { next, names: keys.map((key) => key.slice(own.length + before.length, -after.length)) }
      })
      if (!step.ok)
        throw new CacheError('cache.unavailable', 'Redis does not answer', { cause: redis.lastError })
      cursor = step.value.next
      if (step.value.names.length > 0) yield step.value.names
    } while (cursor !== '0')
  }
}

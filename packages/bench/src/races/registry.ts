import type { RaceAdapter } from '@tidemark/cache/testing'
import { asyncCacheDedupe } from './adapters/async-cache-dedupe.js'
import { bentocache } from './adapters/bentocache.js'
import { cacheManager } from './adapters/cache-manager.js'
import { cacheable } from './adapters/cacheable.js'
import { layeredLoader } from './adapters/layered-loader.js'
import { tidemarkPostgres } from './adapters/tidemark-postgres.js'
import { tidemarkRedis } from './adapters/tidemark-redis.js'

/** The columns, in their order. */
export const runners = (postgresUrl: string): readonly RaceAdapter[] => [
  tidemarkRedis,
  tidemarkPostgres(postgresUrl),
  bentocache,
  cacheable,
  cacheManager,
  layeredLoader,
  asyncCacheDedupe,
]

export function runnerNamed(name: string, postgresUrl: string): RaceAdapter {
  const found = runners(postgresUrl).find((each) => each.name === name)
  if (found === undefined) throw new Error(`no library is called "${name}"`)
  return found
}

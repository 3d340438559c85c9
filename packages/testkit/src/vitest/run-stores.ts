import { dockerAnswers, reachPostgres, reachRedis } from '@tidemark/infra'

import type { SharedStores, StoresKind } from '../shared-stores.js'
import { containerPostgres, containerRedis } from './container-stores.js'
import { localPostgres, localRedis } from './local-stores.js'
import type { StartedStore } from './started-store.js'

/** The shared stores of one run of tests, and their end. */
export interface RunStores {
  readonly shared: SharedStores
  stop(): Promise<void>
}

async function both(postgres: Promise<StartedStore>, redis: Promise<StartedStore>): Promise<StartedStore[]> {
  const results = await Promise.allSettled([postgres, redis])
  const failed = results.find((result) => result.status === 'rejected')
  if (!failed) return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  for (const result of results) if (result.status === 'fulfilled') await result.value.stop()
  throw failed.reason
}

/**
 * Brings the stores of a run up: each from its variable (`DATABASE_URL`, `REDIS_URL`), else both kinds from containers
 * where a Docker engine answers, else from local programs. Says in one line which ran.
 */
export async function startRunStores(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<RunStores> {
  const { DATABASE_URL: postgresUrl, REDIS_URL: redisUrl } = env
  const named = Boolean(postgresUrl) && Boolean(redisUrl)
  const kind: StoresKind = named ? 'environment' : (await dockerAnswers()) ? 'containers' : 'local'
  const bring = kind === 'containers' ? [containerPostgres, containerRedis] : [localPostgres, localRedis]
  const started = await both(
    postgresUrl ? reachPostgres('DATABASE_URL', postgresUrl) : bring[0]!(),
    redisUrl ? reachRedis('REDIS_URL', redisUrl) : bring[1]!(),
  )
  const [postgres, redis] = started as [StartedStore, StartedStore]
  say(`tests: Postgres from ${postgres.origin}, Redis from ${redis.origin}`)
  return {
    shared: { postgresUrl: postgres.url, redisUrl: redis.url, kind },
    async stop() {
      for (const store of started) await store.stop()
    },
  }
}

import { join } from 'node:path'

import { startPostgresServer } from './postgres-server.js'
import { installRedisWithApt } from './redis-apt.js'
import { chooseRedis } from './redis-choice.js'
import type { RedisChoice } from './redis-choice.js'
import { startRedisContainer } from './redis-container.js'
import { systemProbes } from './redis-probes.js'
import { CACHE_SETTINGS, DURABLE_SETTINGS, startRedisServer } from './redis-server.js'
import { reachPostgres, reachRedis } from './store-url.js'
import type { Say, Store } from './store.js'

const POSTGRES_PORT = 25_432
const REDIS_PORT = 26_379

export interface BringUpOptions {
  /** Folder for data and logs, kept between starts. */
  readonly folder: string
  readonly say: Say
  /** From the environment; the store is taken as it is and never stopped. */
  readonly url: string | undefined
}

/** Postgres for `npm start`: the one that `DATABASE_URL` names, else an embedded one that keeps its data. */
export async function bringUpPostgres({ folder, say, url }: BringUpOptions): Promise<Store> {
  if (url) {
    const store = await reachPostgres('DATABASE_URL', url)
    say(`Postgres: using ${store.origin}`)
    return store
  }
  const server = await startPostgresServer({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'logs', 'postgres.log'),
    preferredPort: POSTGRES_PORT,
    database: 'tidemark',
    settings: { max_connections: '200' },
    say,
  })
  say(`Postgres: started from ${server.origin}, ${server.url}`)
  return server
}

async function startChosenRedis(choice: RedisChoice, folder: string, say: Say): Promise<Store> {
  const settings = { ...CACHE_SETTINGS, ...DURABLE_SETTINGS }
  const place = { dataDir: join(folder, 'redis'), preferredPort: REDIS_PORT, settings, say }
  const logFile = join(folder, 'logs', 'redis.log')
  switch (choice.from) {
    case 'environment':
      return reachRedis('REDIS_URL', choice.url)
    case 'path':
      return startRedisServer({ ...place, command: choice.command, logFile })
    case 'docker':
      return startRedisContainer(place)
    case 'apt':
      return startRedisServer({ ...place, command: await installRedisWithApt(say), logFile })
  }
}

/** Redis for `npm start`, in the order of `chooseRedis`. */
export async function bringUpRedis({ folder, say, url }: BringUpOptions): Promise<Store> {
  const choice = await chooseRedis(systemProbes(url))
  const store = await startChosenRedis(choice, folder, say)
  say(
    choice.from === 'environment'
      ? `Redis: using ${store.origin}`
      : `Redis: started from ${store.origin}, ${store.url}`,
  )
  return store
}

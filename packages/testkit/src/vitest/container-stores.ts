import { CACHE_SETTINGS, REDIS_IMAGE } from '@tidemark/infra'

import type { StartedStore } from './started-store.js'

/*
 * Written against testcontainers 11 and not yet run against an engine. The library is loaded only here: it is large,
 * and most runs do without it. Its own sweeper container removes what a killed run leaves behind.
 */

const POSTGRES_IMAGE = 'postgres:18-alpine'
const STARTUP_TIMEOUT_MS = 180_000
const POSTGRES_PORT = 5432
const REDIS_PORT = 6379

export async function containerPostgres(): Promise<StartedStore> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=400']
  const container = await new GenericContainer(POSTGRES_IMAGE)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .withTmpFs({ '/var/lib/postgresql': 'rw' })
    .withExposedPorts(POSTGRES_PORT)
    // The image starts the server twice: once to set it up, once for good.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(STARTUP_TIMEOUT_MS)
    .start()
  const place = `${container.getHost()}:${String(container.getMappedPort(POSTGRES_PORT))}`
  return {
    url: `postgres://postgres@${place}/postgres`,
    origin: `container ${POSTGRES_IMAGE}`,
    stop: async () => {
      await container.stop()
    },
  }
}

export async function containerRedis(): Promise<StartedStore> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const settings = Object.entries({ ...CACHE_SETTINGS, save: '', appendonly: 'no' })
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', ...settings.flatMap(([name, value]) => [`--${name}`, value])])
    .withExposedPorts(REDIS_PORT)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(STARTUP_TIMEOUT_MS)
    .start()
  const place = `${container.getHost()}:${String(container.getMappedPort(REDIS_PORT))}`
  return {
    url: `redis://${place}`,
    origin: `container ${REDIS_IMAGE}`,
    stop: async () => {
      await container.stop()
    },
  }
}

import { join } from 'node:path'

import { CACHE_SETTINGS, leash, startPostgresServer, startRedisServer } from '@tidemark/infra'

import { localRedisCommand } from '../local-redis.js'
import { silence } from '../silence.js'
import { temporaryFolder } from '../temporary-folder.js'
import type { StartedStore } from './started-store.js'

/** Nothing that these servers hold outlives the run, so nothing is synced. */
const FAST_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '60s',
  max_connections: '400',
  shared_buffers: '128MB',
  max_wal_size: '4GB',
}

/** The embedded Postgres, in a temporary folder, on a free port. */
export async function localPostgres(): Promise<StartedStore> {
  const folder = await temporaryFolder('test-postgres')
  const server = await startPostgresServer({
    dataDir: join(folder.path, 'data'),
    logFile: join(folder.path, 'postgres.log'),
    settings: FAST_SETTINGS,
    syncOnCreate: false,
    say: silence,
  })
  const held = leash({ pid: server.pid, signal: 'QUIT', patienceSeconds: 2, folder: folder.path })
  return {
    url: server.url,
    origin: server.origin,
    async stop() {
      await server.stop()
      held.release()
      await folder.remove()
    },
  }
}

/** The machine's Redis, in a temporary folder, on a free port. */
export async function localRedis(): Promise<StartedStore> {
  const command = await localRedisCommand()
  const folder = await temporaryFolder('test-redis')
  const server = await startRedisServer({
    command,
    dataDir: join(folder.path, 'data'),
    logFile: join(folder.path, 'redis.log'),
    settings: { ...CACHE_SETTINGS, save: '', appendonly: 'no' },
    say: silence,
  })
  const held = leash({ pid: server.pid, signal: 'TERM', patienceSeconds: 2, folder: folder.path })
  return {
    url: server.url,
    origin: command,
    async stop() {
      await server.stop()
      held.release()
      await folder.remove()
    },
  }
}

import { join } from 'node:path'

import { CACHE_SETTINGS, startRedisServer } from '@tidemark/infra'

import { localRedisCommand } from './local-redis.js'
import { ownProcess } from './own-process.js'
import type { OwnServer } from './own-server.js'
import { silence } from './silence.js'
import { temporaryFolder } from './temporary-folder.js'

/**
 * A dedicated Redis set up as for the cache, which keeps nothing on disk unless told to.
 *
 * @param settings e.g. `{ appendonly: 'yes', appendfsync: 'always' }` to keep its data over `kill`, or
 *   `{ replicaof: '127.0.0.1 26400' }`
 */
export async function ownRedis(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const command = await localRedisCommand()
  const folder = await temporaryFolder('redis')
  return ownProcess({
    folder,
    leashSignal: 'TERM',
    launch: (port) =>
      startRedisServer({
        command,
        dataDir: join(folder.path, 'data'),
        logFile: join(folder.path, 'redis.log'),
        ...(port === undefined ? {} : { port }),
        settings: { ...CACHE_SETTINGS, save: '', appendonly: 'no', ...settings },
        say: silence,
      }),
  })
}

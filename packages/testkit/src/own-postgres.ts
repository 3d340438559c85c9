import { join } from 'node:path'

import { startPostgresServer } from '@tidemark/infra'

import { ownProcess } from './own-process.js'
import type { OwnServer } from './own-server.js'
import { silence } from './silence.js'
import { temporaryFolder } from './temporary-folder.js'

/**
 * A dedicated Postgres with the durability of the defaults (fsync on). Killed and started again it goes through crash
 * recovery, which empties unlogged tables.
 *
 * @param settings server settings, e.g. `{ synchronous_commit: 'off' }`
 * @example const postgres = await ownPostgres(); await postgres.kill(); await postgres.start()
 */
export async function ownPostgres(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const folder = await temporaryFolder('postgres')
  return ownProcess({
    folder,
    leashSignal: 'QUIT',
    launch: (port) =>
      startPostgresServer({
        dataDir: join(folder.path, 'data'),
        logFile: join(folder.path, 'postgres.log'),
        ...(port === undefined ? {} : { port }),
        settings: { max_connections: '100', ...settings },
        database: 'tidemark',
        syncOnCreate: false,
        say: silence,
      }),
  })
}

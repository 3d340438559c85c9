import pg from 'pg'

import { freePort } from './free-port.js'
import { clearLeftover, createCluster, SUPERUSER } from './postgres-cluster.js'
import { postgresHome } from './postgres-home.js'
import type { PostgresHome } from './postgres-home.js'
import { stopProcess } from './process-control.js'
import { logTail, spawnServer } from './server-process.js'
import type { ServerProcess } from './server-process.js'
import { InfraError } from './store.js'
import type { Say, Store } from './store.js'
import { until } from './until.js'

const READY_BOUND_MS = 60_000
const FAST_STOP_MS = 20_000
const MAX_ATTEMPTS = 20
const RETRY_MS = 100
const CONNECT_TIMEOUT_MS = 2_000

/** Reasons that pass by themselves: a port lost between draw and bind, a dead server's last backends leaving. */
const PASSING = /Address already in use|pre-existing shared memory block|lock file "postmaster.pid"/

export interface PostgresServerOptions {
  readonly dataDir: string
  readonly logFile: string
  /** A port that must be had; without it, any free one. */
  readonly port?: number
  readonly preferredPort?: number
  /** Server settings, e.g. `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Database to have; made if it is not there. Default `postgres`, which always is. */
  readonly database?: string
  /** False skips the syncs of creating a cluster: for throw-away servers. */
  readonly syncOnCreate?: boolean
  readonly say: Say
}

export interface PostgresServer extends Store {
  readonly pid: number
  readonly port: number
  readonly dataDir: string
  readonly ended: Promise<string>
}

const urlOf = (port: number, database: string): string =>
  `postgres://${SUPERUSER}@127.0.0.1:${String(port)}/${database}`

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: READY_BOUND_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function ensureDatabase(port: number, database: string): Promise<void> {
  await withClient(urlOf(port, 'postgres'), async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`)
  })
}

function launch(home: PostgresHome, port: number, options: PostgresServerOptions): Promise<ServerProcess> {
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const args = ['-D', home.dataDir, '-p', String(port), ...flags]
  return spawnServer({
    command: home.binaries.postgres,
    args,
    logFile: options.logFile,
    cwd: home.dataDir,
    ...home.account,
  })
}

/** Waits until the server answers; gives the reason if it ends instead. */
async function ready(server: ServerProcess, port: number): Promise<'ready' | 'ended' | 'silent'> {
  const outcome = await until(async () => {
    if (server.endedWith() !== undefined) return 'ended' as const
    const answers = withClient(urlOf(port, 'postgres'), (client) => client.query('SELECT 1'))
    return answers.then(
      () => 'ready' as const,
      () => undefined,
    )
  }, READY_BOUND_MS)
  return outcome ?? 'silent'
}

/**
 * Starts PostgreSQL on loopback in a folder of its own, which is made if it is not there and kept afterwards.
 * @throws InfraError `store_failed` with the server's last words
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const home = await postgresHome(options.dataDir, options.say)
  await createCluster(home, options.say, options.syncOnCreate)
  await clearLeftover(home.dataDir, options.say)
  const database = options.database ?? 'postgres'
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort(options.preferredPort))
    const server = await launch(home, port, options)
    const outcome = await ready(server, port)
    if (outcome === 'ready') {
      await ensureDatabase(port, database)
      return {
        url: urlOf(port, database),
        origin: 'embedded binaries',
        pid: server.pid,
        port,
        dataDir: home.dataDir,
        ended: server.ended,
        async stop() {
          if (server.endedWith() === undefined) await stopProcess(server.pid, 'SIGINT', FAST_STOP_MS)
        },
      }
    }
    await stopProcess(server.pid, 'SIGQUIT', FAST_STOP_MS)
    const words = logTail(options.logFile, 5)
    if (outcome === 'silent' || attempt === MAX_ATTEMPTS || !PASSING.test(words)) {
      throw new InfraError('store_failed', `Postgres did not start (log: ${options.logFile})\n${words}`)
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

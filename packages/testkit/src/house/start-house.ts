import pg from 'pg'

import { emptyDatabase } from '../empty-database.js'
import type { EmptyDatabase } from '../empty-database.js'
import { redisSpace } from '../redis-space.js'
import { checksumOf } from './checksum.js'
import { startService } from './service-process.js'
import type { ServiceName, ServiceProcess } from './service-process.js'

type Environment = Readonly<Record<string, string>>
type Values = readonly unknown[]

export interface HouseOptions {
  /** Migrates and fills the empty database. */
  readonly fill: (databaseUrl: string) => Promise<unknown>
  /** Dropped with the house. Default: one on the shared Postgres. */
  readonly database?: EmptyDatabase
  /** Default: a space of its own on the shared Redis. */
  readonly redis?: { readonly url: string; readonly prefix?: string }
  /** Started at once; default all three. */
  readonly services?: readonly ServiceName[]
  /** For every service, over the house's own: a proxy's URL as `DATABASE_URL`, say. */
  readonly env?: Environment
}

/** The services as real processes over real stores. */
export interface House {
  /** Of those that run, the one that was started first; the others likewise. */
  readonly read: ServiceProcess
  readonly write: ServiceProcess
  readonly invalidation: ServiceProcess
  /** What each service is started with. */
  readonly env: Environment
  /** One more process of this service. */
  start(name: ServiceName, env?: Environment): Promise<ServiceProcess>
  /** Raw SQL beside all services, committed when it resolves. */
  sql<T extends object = Record<string, unknown>>(text: string, values?: Values): Promise<T[]>
  /** Of every row of every table: equal before and after means that nothing has changed. */
  checksum(): Promise<string>
  /** Ends everything that it started. */
  stop(): Promise<void>
}

/** @example const house = await startHouse({ fill }); afterAll(() => house.stop()) */
export async function startHouse(options: HouseOptions): Promise<House> {
  const { fill, redis = redisSpace(), services = ['invalidation', 'write', 'read'] } = options
  const database = options.database ?? (await emptyDatabase())
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    TIDEMARK_PREFIX: redis.prefix ?? 'tidemark',
    ...options.env,
  }
  const pool = new pg.Pool({ connectionString: database.url, max: 4, query_timeout: 30_000 })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const started: ServiceProcess[] = []

  const start = async (name: ServiceName, own: Environment = {}): Promise<ServiceProcess> => {
    const service = await startService(name, { ...env, ...own })
    started.push(service)
    return service
  }
  const running = (name: ServiceName): ServiceProcess => {
    const service = started.find((one) => one.name === name && !one.hasEnded)
    if (service === undefined) throw new Error(`no ${name} service runs in this house`)
    return service
  }
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(({ process }) => process.kill('SIGKILL')))
    await pool.end()
    await database.drop()
  }

  try {
    await fill(database.url)
    const starts = await Promise.allSettled(services.map((name) => start(name)))
    for (const result of starts) if (result.status === 'rejected') throw result.reason
  } catch (error) {
    await stop()
    throw error
  }
  return {
    get read() {
      return running('read')
    },
    get write() {
      return running('write')
    },
    get invalidation() {
      return running('invalidation')
    },
    env,
    start,
    async sql<T extends object>(text: string, values?: Values) {
      return (await pool.query<T & pg.QueryResultRow>(text, values && [...values])).rows
    },
    checksum: () => checksumOf(pool),
    stop,
  }
}

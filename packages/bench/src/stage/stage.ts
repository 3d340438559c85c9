import { createRequire } from 'node:module'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate } from '@tidemark/database'
import { freePort, startService } from '@tidemark/infra'
import type { StopStack } from '@tidemark/infra'
import { seed } from '@tidemark/resources/seed'
import { ownPostgres, ownRedis } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { peers } from '../peers/registry.js'

export interface Stage {
  /** The log, in database 0. */
  readonly redisUrl: string
  /** A database for each contestant's values: some peers write the same key in another format. */
  valuesUrl(place: number): string
  readonly postgresUrl: string
  readonly isQuick: boolean
  readonly stack: StopStack
  readonly say: (line: string) => void
  /** Rounds and seconds, fewer when it must be quick. */
  rounds(full: number): number
  seconds(full: number): number
  /** Nothing of any contestant's is left in Redis. */
  emptyValues(): Promise<void>
  /** One of our services, on a free port; stopped with the stage. */
  start(name: 'read' | 'invalidation'): Promise<string>
  /** As `start`, until it is stopped, with more in its environment. */
  run(name: 'read' | 'invalidation', env: Readonly<Record<string, string>>): Promise<RunningService>
  machine(): Promise<string>
}

interface RunningService {
  readonly url: string
  stop(): Promise<void>
}

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const products = 2_000
/** The log has database 0. */
const firstDatabase = 1

/** Stores on free ports, the schema, some products, and the invalidation service at its default pace. */
export async function setStage(options: {
  stack: StopStack
  signal: AbortSignal
  isQuick: boolean
  say: (line: string) => void
}): Promise<Stage> {
  const { stack, signal, isQuick, say } = options
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  stack.push(() => rm(folder, { recursive: true, force: true }))
  const postgres = await ownPostgres()
  stack.push(() => postgres.remove())
  const redis = await ownRedis()
  stack.push(() => redis.remove())
  await migrate(postgres.url)
  await seed(postgres.url, { products })
  const admin = new Redis(redis.url)
  admin.on('error', () => undefined)
  stack.push(async () => {
    admin.disconnect()
    return Promise.resolve()
  })

  const run: Stage['run'] = async (name, more) => {
    const service = startService({
      name,
      root,
      port: await freePort(),
      env: { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'warn', ...more },
      logFile: join(folder, `${name}.log`),
      watch: false,
      say,
    })
    stack.push(() => service.stop())
    await service.whenReady(signal)
    return service
  }
  const start = async (name: 'read' | 'invalidation'): Promise<string> => (await run(name, {})).url
  await start('invalidation')

  return {
    redisUrl: redis.url,
    valuesUrl: (place) => `${redis.url}/${firstDatabase + place}`,
    postgresUrl: postgres.url,
    isQuick,
    stack,
    say,
    rounds: (full) => (isQuick ? Math.min(2, full) : full),
    seconds: (full) => (isQuick ? full / 4 : full),
    async emptyValues() {
      for (let place = 0; place < peers.length; place++)
        await admin
          .multi()
          .select(firstDatabase + place)
          .flushdb()
          .select(0)
          .exec()
    },
    start,
    run,
    async machine() {
      const version = /redis_version:(\S+)/.exec(await admin.info('server'))?.[1] ?? 'unknown'
      const ioredis = (createRequire(import.meta.url)('ioredis/package.json') as { version: string }).version
      const load = loadavg()
        .map((each) => each.toFixed(1))
        .join(', ')
      return `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${process.platform}, Node ${process.versions.node}, Redis ${version}, ioredis ${ioredis}; load average ${load}`
    },
  }
}

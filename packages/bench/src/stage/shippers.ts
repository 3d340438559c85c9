import { readFile } from 'node:fs/promises'
import { migrate } from '@tidemark/database'
import { seed } from '@tidemark/resources/seed'
import { eventually, launchService, ownPostgres, ownRedis } from '@tidemark/testkit'
import type { Child } from '@tidemark/testkit'
import pg from 'pg'
import type { Stage } from './stage.js'

export const shopProducts = 2_000
const startMs = 60_000
const clockTicks = 100

/** Stores of their own, so that nothing but these writes and these services use them. */
export interface ShipStage {
  readonly postgresUrl: string
  readonly redisUrl: string
  readonly pool: pg.Pool
  /** One more invalidation service. */
  launch(): Promise<Child>
  end(): Promise<void>
}

export async function shipStage(stage: Stage): Promise<ShipStage> {
  const postgres = await ownPostgres({ max_connections: '200' })
  stage.stack.push(() => postgres.remove())
  const redis = await ownRedis()
  stage.stack.push(() => redis.remove())
  await migrate(postgres.url)
  await seed(postgres.url, { products: shopProducts })
  const pool = new pg.Pool({ connectionString: postgres.url, max: 32 })
  pool.on('error', () => undefined)
  const children: Child[] = []
  return {
    postgresUrl: postgres.url,
    redisUrl: redis.url,
    pool,
    async launch() {
      const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'info' }
      const child = launchService('invalidation', env)
      children.push(child)
      stage.stack.push(() => child.kill('SIGKILL'))
      await eventually(() => child.output().includes('"msg":"ready"'), { timeoutMs: startMs })
      return child
    },
    async end() {
      await Promise.all(children.map((child) => child.kill('SIGTERM')))
      await pool.end()
      await postgres.remove()
      await redis.remove()
    },
  }
}

/** Seconds of CPU that a process has used; NaN where the system does not say. */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / clockTicks
}

/** Memory of a process, in bytes; NaN where the system does not say. */
export async function memoryBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) * 1_024
}

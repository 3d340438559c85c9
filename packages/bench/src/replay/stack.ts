/** The house that a replay drives: one that runs already, or one of its own in a temporary folder. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bringUpPostgres, bringUpRedis, freePort, runScript, startService } from '@tidemark/infra'
import type { StopStack } from '@tidemark/infra'

export interface Urls {
  readonly database: string
  readonly write: string
  readonly readers: readonly string[]
}

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const say = (line: string): void => {
  console.log(line)
}

/** Stores, migrations, seed and services, `readers` of them read services; all ended by `stack`. */
export async function startStack(stack: StopStack, readers: number, signal: AbortSignal): Promise<Urls> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-replay-'))
  stack.push(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'logs'))
  const postgres = await bringUpPostgres({ folder, say, url: process.env['DATABASE_URL'] })
  stack.push(() => postgres.stop())
  const redis = await bringUpRedis({ folder, say, url: process.env['REDIS_URL'] })
  stack.push(() => redis.stop())

  const env = { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'warn' }
  await runScript({ name: 'migrate', file: 'packages/database/dist/migrate-main.js', root, env, signal, say })
  await runScript({ name: 'seed', file: 'packages/resources/dist/seed-main.js', root, env, signal, say })

  const start = async (name: 'read' | 'write' | 'invalidation', number: number) => {
    const port = await freePort()
    const child = startService({
      name,
      root,
      port,
      env,
      say,
      logFile: join(folder, 'logs', `${name}-${number}.log`),
      watch: false,
    })
    stack.push(() => child.stop())
    await child.whenReady(signal)
    return child.url
  }
  await start('invalidation', 1)
  const write = await start('write', 1)
  const urls: string[] = []
  for (let number = 1; number <= readers; number++) urls.push(await start('read', number))
  say(`services: write ${write}, read ${urls.join(' and ')}`)
  return { database: postgres.url, write, readers: urls }
}

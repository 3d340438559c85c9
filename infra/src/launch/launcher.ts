import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { bringUpPostgres, bringUpRedis } from '../stores/bring-up.js'
import { InfraError } from '../stores/store.js'
import type { Say, Store } from '../stores/store.js'
import { checkPorts } from './ports.js'
import { runScript } from './script.js'
import { startService } from './service-child.js'
import type { ServiceChild } from './service-child.js'
import { SERVICES } from './settings.js'
import type { LaunchSettings, ServiceName } from './settings.js'
import { takeStartLock } from './start-lock.js'
import type { StopStack } from './stop-stack.js'

export interface House {
  readonly urls: Readonly<Record<ServiceName, string>>
  /** Resolves, never rejects, with the one line to say when a part ends unasked. */
  readonly broken: Promise<InfraError>
}

export interface LaunchOptions {
  readonly settings: LaunchSettings
  readonly env: NodeJS.ProcessEnv
  /** Aborted when the person wants to stop; a step that has begun is finished or cut short, the next not begun. */
  readonly signal: AbortSignal
  /** Gets the end of everything that is started here, services before stores. */
  readonly stack: StopStack
  readonly say: Say
}

async function bringUpStores({
  settings,
  stack,
  say,
}: LaunchOptions): Promise<{ postgres: Store; redis: Store }> {
  const { folder } = settings
  const postgres = await bringUpPostgres({ folder, say, url: settings.databaseUrl })
  stack.push(() => postgres.stop())
  const redis = await bringUpRedis({ folder, say, url: settings.redisUrl })
  stack.push(() => redis.stop())
  return { postgres, redis }
}

async function startServices(options: LaunchOptions, env: NodeJS.ProcessEnv): Promise<ServiceChild[]> {
  const { settings, stack, say } = options
  const children = SERVICES.map((name) =>
    startService({
      name,
      env,
      say,
      root: settings.root,
      port: settings.ports[name],
      logFile: join(settings.folder, 'logs', `${name}.log`),
      watch: settings.watch,
    }),
  )
  stack.push(async () => {
    await Promise.all(children.map((child) => child.stop()))
  })
  await Promise.all(children.map((child) => child.whenReady(options.signal)))
  if (!options.signal.aborted)
    say(`services: ${children.map(({ name, url }) => `${name} ${url}`).join(', ')}`)
  return children
}

function watchOver(
  children: readonly ServiceChild[],
  stores: Readonly<Record<string, Store>>,
): Promise<InfraError> {
  const services = children.map(async (child) => {
    const reason = await child.ended
    return new InfraError(
      'service_failed',
      `the ${child.name} service ended (${reason}); its log ends:\n${child.logTail()}`,
    )
  })
  const servers = Object.entries(stores).flatMap(([name, store]) =>
    store.ended ? [store.ended.then((why) => new InfraError('store_failed', `${name} ended (${why})`))] : [],
  )
  return Promise.race([...services, ...servers])
}

/** Brings the whole house up. What was started before a failure is on the stack. Undefined if told to stop meanwhile. */
export async function launch(options: LaunchOptions): Promise<House | undefined> {
  const { settings, signal, stack, say } = options
  const { folder, root } = settings
  await mkdir(join(folder, 'logs'), { recursive: true })
  stack.push(await takeStartLock(folder))
  await checkPorts(settings.ports)
  if (signal.aborted) return undefined
  const stores = await bringUpStores(options)
  const env = {
    READ_URL: `http://127.0.0.1:${String(settings.ports.read)}`,
    ...options.env,
    DATABASE_URL: stores.postgres.url,
    REDIS_URL: stores.redis.url,
    ADMIN_TOKEN: settings.adminToken,
  }
  for (const [name, file] of [
    ['migrate', 'packages/database/dist/migrate-main.js'],
    ['seed', 'packages/resources/dist/seed-main.js'],
  ] as const) {
    if (signal.aborted) return undefined
    await runScript({ name, file, root, env, signal, say })
  }
  if (signal.aborted) return undefined
  const children = await startServices(options, env)
  if (signal.aborted) return undefined
  const urls = Object.fromEntries(children.map(({ name, url }) => [name, url])) as Record<ServiceName, string>
  return { urls, broken: watchOver(children, { Postgres: stores.postgres, Redis: stores.redis }) }
}

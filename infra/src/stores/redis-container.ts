import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'

import { docker } from './docker.js'
import { freePort } from './free-port.js'
import { answersPing } from './redis-server.js'
import { InfraError } from './store.js'
import type { Say, Store } from './store.js'
import { until } from './until.js'

/** The image that tests, `npm start` and docker-compose.yml run. */
export const REDIS_IMAGE = 'redis:7.4-alpine'

const PULL_TIMEOUT_MS = 300_000
const COMMAND_TIMEOUT_MS = 30_000
const READY_BOUND_MS = 30_000
const STOP_SECONDS = 10

export interface RedisContainerOptions {
  readonly dataDir: string
  readonly preferredPort?: number
  readonly settings?: Readonly<Record<string, string>>
  readonly say: Say
}

/** Starts Redis in a container that keeps its data in `dataDir`; one left by an earlier start is replaced. */
export async function startRedisContainer(options: RedisContainerOptions): Promise<Store> {
  const { dataDir } = options
  await mkdir(dataDir, { recursive: true })
  const name = `tidemark-redis-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`
  await docker(['rm', '--force', name], COMMAND_TIMEOUT_MS).catch(() => undefined)
  const port = await freePort(options.preferredPort)
  const settings = Object.entries(options.settings ?? {}).flatMap(([key, value]) => [`--${key}`, value])
  const publish = ['--publish', `127.0.0.1:${String(port)}:6379`, '--volume', `${dataDir}:/data`]
  const args = ['run', '--detach', '--name', name, ...publish, REDIS_IMAGE, 'redis-server', ...settings]
  const stop = async (): Promise<void> => {
    await docker(['stop', '--time', String(STOP_SECONDS), name], COMMAND_TIMEOUT_MS).catch(() => undefined)
    await docker(['rm', '--force', name], COMMAND_TIMEOUT_MS).catch(() => undefined)
  }
  try {
    await docker(args, PULL_TIMEOUT_MS)
  } catch (cause) {
    await stop()
    throw new InfraError('store_failed', `Docker could not run ${REDIS_IMAGE}`, { cause })
  }
  const url = `redis://127.0.0.1:${String(port)}`
  const ready = await until(async () => ((await answersPing(url)) ? true : undefined), READY_BOUND_MS)
  if (ready) return { url, origin: `Docker (${REDIS_IMAGE})`, pid: undefined, stop }
  await stop()
  throw new InfraError('store_failed', `Redis in Docker did not answer on port ${String(port)}`)
}

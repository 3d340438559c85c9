import { mkdir, readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { Redis } from 'ioredis'

import { freePort } from './free-port.js'
import { isAlive, stopProcess, workingFolder } from './process-control.js'
import { logTail, spawnServer } from './server-process.js'
import type { ServerProcess } from './server-process.js'
import { InfraError } from './store.js'
import type { Say, Store } from './store.js'
import { until } from './until.js'

const READY_BOUND_MS = 30_000
const STOP_MS = 10_000
const MAX_ATTEMPTS = 10
const CONNECT_TIMEOUT_MS = 1_000

/** How the Redis of the cache is set up: it may lose any value that has a TTL, least used first, and nothing else. */
export const CACHE_SETTINGS: Readonly<Record<string, string>> = {
  maxmemory: '512mb',
  'maxmemory-policy': 'volatile-lfu',
}

/** Survives a restart: every write goes to the append-only file, synced once a second. */
export const DURABLE_SETTINGS: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '',
}

export interface RedisServerOptions {
  /** `redis-server`, `valkey-server` or a path to one. */
  readonly command: string
  readonly dataDir: string
  readonly logFile: string
  readonly port?: number
  readonly preferredPort?: number
  readonly settings?: Readonly<Record<string, string>>
  /** Before the settings: a configuration file, which a Sentinel writes to, and `--sentinel`. */
  readonly args?: readonly string[]
  readonly say: Say
}

export interface RedisServer extends Store {
  readonly pid: number
  readonly port: number
  readonly dataDir: string
  readonly ended: Promise<string>
}

/** True if a Redis that has finished loading answers at `url`. */
export async function answersPing(url: string): Promise<boolean> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

async function clearLeftover(dataDir: string, say: Say): Promise<void> {
  const pidFile = join(dataDir, 'redis.pid')
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  if (pid && (await isAlive(pid)) && (await workingFolder(pid)) === (await realpath(dataDir))) {
    say(`Redis: stopping the server that an earlier start left running (process ${String(pid)})`)
    await stopProcess(pid, 'SIGTERM', STOP_MS)
  }
  await rm(pidFile, { force: true })
}

function launch(port: number, options: RedisServerOptions): Promise<ServerProcess> {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: options.dataDir,
    pidfile: join(options.dataDir, 'redis.pid'),
    daemonize: 'no',
    ...options.settings,
  }
  const args = [
    ...(options.args ?? []),
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
  ]
  return spawnServer({ command: options.command, args, logFile: options.logFile, cwd: options.dataDir })
}

/**
 * Starts a Redis (or Valkey) on loopback with its files in a folder of its own, kept afterwards.
 * @throws InfraError `store_failed` with the server's last words
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  await mkdir(options.dataDir, { recursive: true })
  await clearLeftover(options.dataDir, options.say)
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort(options.preferredPort))
    const url = `redis://127.0.0.1:${String(port)}`
    const server = await launch(port, options)
    const ready = await until(async () => {
      if (server.endedWith() !== undefined) return false
      return (await answersPing(url)) ? true : undefined
    }, READY_BOUND_MS)
    if (ready) {
      return {
        url,
        origin: options.command,
        pid: server.pid,
        port,
        dataDir: options.dataDir,
        ended: server.ended,
        async stop() {
          if (server.endedWith() === undefined) await stopProcess(server.pid, 'SIGTERM', STOP_MS)
        },
      }
    }
    await stopProcess(server.pid, 'SIGTERM', STOP_MS)
    const words = logTail(options.logFile, 5)
    if (attempt === MAX_ATTEMPTS || !words.includes('Address already in use')) {
      throw new InfraError('store_failed', `Redis did not start (log: ${options.logFile})\n${words}`)
    }
  }
}

import { Redis } from 'ioredis'
import pg from 'pg'

import { InfraError } from './store.js'
import type { Store } from './store.js'

const CONNECT_TIMEOUT_MS = 5_000

interface StoreKind {
  readonly name: 'Postgres' | 'Redis'
  readonly protocols: readonly string[]
  readonly example: string
  readonly defaultPort: string
  connect(url: string, timeoutMs: number): Promise<void>
}

const postgres: StoreKind = {
  name: 'Postgres',
  protocols: ['postgres:', 'postgresql:'],
  example: 'postgres://user@host:5432/database',
  defaultPort: '5432',
  async connect(url, timeoutMs) {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('SELECT 1')
    } finally {
      await client.end().catch(() => undefined)
    }
  },
}

const redis: StoreKind = {
  name: 'Redis',
  protocols: ['redis:', 'rediss:'],
  example: 'redis://host:6379',
  defaultPort: '6379',
  async connect(url, timeoutMs) {
    const client = new Redis(url, {
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
    })
    // connect() rejects with "Connection is closed."; the reason comes as an event.
    let reason: Error | undefined
    client.on('error', (error: Error) => {
      reason ??= error
    })
    try {
      await client.connect()
      await client.ping()
    } catch (error) {
      throw reason ?? error
    } finally {
      client.disconnect()
    }
  },
}

function parse(variable: string, text: string, kind: StoreKind): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && kind.protocols.includes(url.protocol) && url.hostname) return url
  throw new InfraError('url_malformed', `${variable} is not a URL of the form ${kind.example}`)
}

/** The code, or a message that comes from a server: neither holds the password. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code?.startsWith('E') ? code : (message ?? String(error)).split('\n')[0]!
}

async function reach(variable: string, text: string, kind: StoreKind, timeoutMs: number): Promise<Store> {
  const url = parse(variable, text, kind)
  const place = `${url.hostname}:${url.port || kind.defaultPort}`
  try {
    await kind.connect(text, timeoutMs)
  } catch (cause) {
    const message = `${variable}: no ${kind.name} to be used at ${place} (${reasonOf(cause)})`
    throw new InfraError('url_unreachable', message, { cause })
  }
  return { url: text, origin: `${variable} (${place})`, pid: undefined, stop: () => Promise.resolve() }
}

/** Takes the Postgres that an environment variable names, after seeing it answer. @throws InfraError `url_…` */
export function reachPostgres(variable: string, url: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Store> {
  return reach(variable, url, postgres, timeoutMs)
}

/** Takes the Redis that an environment variable names, after seeing it answer. @throws InfraError `url_…` */
export function reachRedis(variable: string, url: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Store> {
  return reach(variable, url, redis, timeoutMs)
}

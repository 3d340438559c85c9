import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool, PoolClient } from 'pg'
import { drain, trackConnections } from './drain.js'
import { DatabaseError } from './errors.js'
import { PrismaClient } from './generated/client.js'
import { createPool, poolDefaults, type PoolOptions } from './pool.js'

export interface DatabaseOptions extends PoolOptions {
  /** How long running statements may go on after `renew` or `close`. */
  readonly drainTimeoutMs?: number
}

/**
 * One pool and a Prisma client over it. Read `pool` and `prisma` from here each time they are used: `renew` replaces both.
 */
export interface Database {
  readonly name: string
  readonly pool: Pool
  readonly prisma: PrismaClient
  /** How often `renew` was called. */
  readonly generation: number
  /**
   * From when this returns, `pool` and `prisma` open new connections only, each verified again; the old pool ends in the
   * background. Call it when a follower adopts a new term: an old connection may lead to a deposed primary.
   */
  renew(): void
  /** Waits for running statements, at most `drainTimeoutMs`. May be called twice. */
  close(): Promise<void>
}

interface Generation {
  readonly pool: Pool
  readonly prisma: PrismaClient
  readonly open: ReadonlySet<PoolClient>
}

const defaultDrainTimeoutMs = 5_000

/** Opens no connection yet: the first statement does. Throws `DatabaseError` `BAD_OPTION`. */
export function createDatabase(options: DatabaseOptions): Database {
  const drainTimeoutMs = options.drainTimeoutMs ?? defaultDrainTimeoutMs
  const ending = new Set<Promise<void>>()
  let current = openGeneration(options)
  let generation = 0
  let closed: Promise<void> | undefined

  const retire = (old: Generation): void => {
    const ended = drain(old.pool, old.open, drainTimeoutMs)
      .then(async () => old.prisma.$disconnect())
      .catch(() => undefined)
      .finally(() => ending.delete(ended))
    ending.add(ended)
  }

  return {
    name: options.name,
    get pool() {
      return current.pool
    },
    get prisma() {
      return current.prisma
    },
    get generation() {
      return generation
    },
    renew() {
      if (closed) throw new DatabaseError('CLOSED', `${options.name}: the database is closed`)
      const old = current
      current = openGeneration(options)
      generation += 1
      retire(old)
    },
    async close() {
      if (!closed) {
        retire(current)
        closed = Promise.all(ending).then(() => undefined)
      }
      return closed
    },
  }
}

function openGeneration(options: DatabaseOptions): Generation {
  const pool = createPool(options)
  const open = trackConnections(pool)
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: {
      maxWait: options.connectTimeoutMs ?? poolDefaults.connectTimeoutMs,
      timeout: options.statementTimeoutMs ?? poolDefaults.statementTimeoutMs,
    },
  })
  return { pool, prisma, open }
}

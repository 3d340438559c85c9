/**
 * Applies migrations in Prisma's layout without Prisma's schema engine, which is a separate download and whose portable
 * twin cuts scripts at every `;`, also inside a function's body. A script goes to Postgres whole, in one transaction with
 * its ledger row: after a failure nothing of it is left and the next run tries again.
 *
 * Runs exclude each other, and `prisma migrate`, by an advisory lock of the session: connect directly, not through a
 * pooler in transaction mode.
 */
import { Client } from 'pg'
import { DatabaseError, messageOf } from './errors.js'
import { plan, readLedger, recordApplied } from './ledger.js'
import { migrationsFolder, readMigrations, type Migration } from './migrations.js'
import { inUtc } from './pool.js'

export interface MigrateOptions {
  /** Folder in Prisma's layout; the package's own by default. */
  readonly folder?: string
  readonly connectTimeoutMs?: number
  /** Longest wait for another run, and for a lock on a table. */
  readonly lockTimeoutMs?: number
  /** Longest single migration. */
  readonly statementTimeoutMs?: number
}

export interface MigrateResult {
  /** Names, in the order applied by this run. */
  readonly applied: readonly string[]
  /** How many were there already. */
  readonly present: number
  /** Applied to the database but not in the folder: a newer program was here. A warning, as in Prisma. */
  readonly unknown: readonly string[]
}

/** The lock that `prisma migrate` takes. */
const prismaLock = 72_707_369
const networkMarginMs = 5_000

/** Brings the database up to date. Throws `DatabaseError`, whose message names the migration. */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<MigrateResult> {
  const { lockTimeoutMs = 30_000, statementTimeoutMs = 600_000, connectTimeoutMs = 5_000 } = options
  const migrations = await readMigrations(options.folder ?? migrationsFolder)
  const client = new Client({
    connectionString: inUtc(url),
    application_name: 'tidemark-migrate',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + networkMarginMs,
  })
  // A connection that breaks is learned of from the statement it breaks.
  client.on('error', () => undefined)
  await client.connect().catch((error: unknown) => {
    throw new DatabaseError('UNAVAILABLE', `cannot connect to the database: ${messageOf(error)}`, error)
  })
  try {
    await lock(client, lockTimeoutMs)
    const { pending, unknown } = plan(await readLedger(client), migrations)
    for (const migration of pending) await apply(client, migration)
    return { applied: pending.map(({ name }) => name), present: migrations.length - pending.length, unknown }
  } finally {
    // Ends the session, and the lock with it.
    await client.end().catch(() => undefined)
  }
}

async function lock(client: Client, lockTimeoutMs: number): Promise<void> {
  try {
    await client.query('SELECT pg_advisory_lock($1)', [prismaLock])
  } catch (error) {
    throw new DatabaseError(
      'MIGRATION_LOCKED',
      `another migration run held the lock for more than ${lockTimeoutMs} ms`,
      error,
    )
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const startedAt = new Date()
  try {
    await client.query('BEGIN')
    await client.query(migration.sql)
    await recordApplied(client, migration, startedAt)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw new DatabaseError(
      'MIGRATION_FAILED',
      `migration ${migration.name} failed: ${describe(error, migration.sql)}`,
      error,
    )
  }
}

/** Postgres gives the place of a mistake as a count of characters. */
function describe(error: unknown, sql: string): string {
  const position = Number((error as { position?: string }).position)
  return position > 0
    ? `line ${sql.slice(0, position).split('\n').length}: ${messageOf(error)}`
    : messageOf(error)
}

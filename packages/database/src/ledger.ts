/** The table `_prisma_migrations`, written as Prisma writes it, so that `prisma migrate deploy` and `status` agree. */
import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { DatabaseError } from './errors.js'
import type { Migration } from './migrations.js'

export interface LedgerRow {
  readonly name: string
  readonly checksum: string
  readonly finished: boolean
}

const table = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`

/** Rows that count: those rolled back by `prisma migrate resolve` do not. */
export async function readLedger(client: Client): Promise<LedgerRow[]> {
  // CREATE ... IF NOT EXISTS says so in a notice each time.
  const { rows: found } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
  )
  if (!found[0]?.there) await client.query(table)
  const { rows } = await client.query<LedgerRow>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name`,
  )
  return rows
}

/** Part of the migration's own transaction: the row is there iff the migration is. */
export async function recordApplied(
  client: Client,
  { name, checksum }: Migration,
  startedAt: Date,
): Promise<void> {
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
    [randomUUID(), checksum, name, startedAt],
  )
}

export interface Plan {
  readonly pending: readonly Migration[]
  /** Applied, but not in the folder: the database is ahead of this program. */
  readonly unknown: readonly string[]
}

/** What is left to apply. Throws when the ledger and the folder tell different stories. */
export function plan(ledger: readonly LedgerRow[], migrations: readonly Migration[]): Plan {
  const unfinished = ledger.find((row) => !row.finished)
  if (unfinished)
    throw new DatabaseError(
      'MIGRATION_UNFINISHED',
      `migration ${unfinished.name} was begun earlier and did not finish: repair the database, then mark it with "prisma migrate resolve"`,
    )
  const applied = new Map(ledger.map((row) => [row.name, row.checksum]))
  const changed = migrations.find(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum)
  if (changed)
    throw new DatabaseError(
      'MIGRATION_CHANGED',
      `migration ${changed.name} was changed after it was applied: restore its file and put the change into a new migration`,
    )
  const known = new Set(migrations.map(({ name }) => name))
  return {
    pending: migrations.filter(({ name }) => !applied.has(name)),
    unknown: [...applied.keys()].filter((name) => !known.has(name)),
  }
}

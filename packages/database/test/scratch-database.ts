import { emptyDatabase } from '@tidemark/testkit'
import { Client, type QueryResultRow } from 'pg'
import { migrate } from '../src/index.js'

export interface Session {
  readonly client: Client
  /** Rows of one statement (or of the last of several). */
  rows<T extends QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]>
}

export interface ScratchDatabase {
  readonly url: string
  /** A session of its own, ended by `drop`. */
  session(): Promise<Session>
  drop(): Promise<void>
}

/** A database of its own, with our migrations unless told otherwise. */
export async function scratchDatabase({ migrated = true } = {}): Promise<ScratchDatabase> {
  const { url, drop } = await emptyDatabase()
  const clients: Client[] = []
  if (migrated) await migrate(url)
  return {
    url,
    async session() {
      const client = new Client({ connectionString: url, query_timeout: 30_000 })
      client.on('error', () => undefined)
      clients.push(client)
      await client.connect()
      return {
        client,
        rows: async (sql, values) => {
          const result = await client.query(sql, values)
          return (Array.isArray(result) ? result.at(-1) : result).rows
        },
      }
    },
    async drop() {
      await Promise.all(clients.map(async (client) => client.end()))
      await drop()
    },
  }
}

export interface Captured {
  resource: string
  key: string | null
  operation: string
  tags: string[]
  version: number | null
  trace: string | null
}

/** What the outbox holds, in order, taking it out. */
export async function takeOutbox(session: Session): Promise<Captured[]> {
  return session.rows<Captured & { id: string }>(
    `WITH gone AS (DELETE FROM tidemark.outbox RETURNING *)
     SELECT resource, key, operation, tags, version::int, trace FROM gone ORDER BY id`,
  )
}

/** The same as lines: `update product product.slug=x product:1`, and the reason after a colon where there is one. */
export async function takeLines(session: Session): Promise<string[]> {
  const rows = await session.rows<{ line: string }>(
    `WITH gone AS (DELETE FROM tidemark.outbox RETURNING *)
     SELECT operation || ' ' || array_to_string(tags, ' ') || coalesce(': ' || reason, '') AS line FROM gone ORDER BY id`,
  )
  return rows.map(({ line }) => line)
}

export interface Entry {
  position: number
  mark: number
  previousMark: number
  term: number
  nonce: number
  tags: string[]
  changes: {
    resource: string
    key: string | null
    operation: string
    tags: string[]
    version: number | null
    changedAt: number
    trace: string | null
    reason: string | null
  }[]
  sequencedAt: number
}

export interface Sequenced {
  term: number
  nonce: number
  position: number
  mark: number
  more: boolean
  entries: Entry[]
}

const columns = 'term, nonce::float8, position::float8, mark::float8, more, entries'

export async function sequence(session: Session, batch = 500): Promise<Sequenced> {
  const [answer] = await session.rows<Sequenced>(`SELECT ${columns} FROM tidemark.sequence($1)`, [batch])
  return answer!
}

export async function newEpoch(session: Session, aboveTerm = 0): Promise<Sequenced> {
  const [answer] = await session.rows<Sequenced>(`SELECT ${columns} FROM tidemark.new_epoch($1)`, [aboveTerm])
  return answer!
}

/** One row, or none when the clock has left the epoch that the caller saw. */
export async function newEpochIf(
  session: Session,
  seenTerm: number,
  seenNonce: number,
  aboveTerm = 0,
): Promise<Sequenced[]> {
  return session.rows<Sequenced>(`SELECT ${columns} FROM tidemark.new_epoch_if($1, $2, $3)`, [
    seenTerm,
    seenNonce,
    aboveTerm,
  ])
}

/** Two categories, two brands and products 1, 2, 3 in category 1 and brand 1; nothing left in the outbox. */
export async function seedCatalogue(session: Session): Promise<void> {
  await session.rows(`
    INSERT INTO category (slug, name) VALUES ('c1', 'C1'), ('c2', 'C2');
    INSERT INTO brand (slug, name, country) VALUES ('b1', 'B1', 'DE'), ('b2', 'B2', 'FR');
    INSERT INTO product (slug, name, description, category_id, brand_id, price_cents)
    SELECT 'p' || n, 'P' || n, 'D', 1, 1, 100 FROM generate_series(1, 3) n;
    DELETE FROM tidemark.outbox`)
}

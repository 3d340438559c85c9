import { randomBytes } from 'node:crypto'

import pg from 'pg'

import { stores } from './shared-stores.js'

const TIMEOUT_MS = 30_000

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({
    connectionString: stores().postgresUrl,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

export interface EmptyDatabase {
  readonly url: string
  /** Drops it, ending whatever is still connected. */
  drop(): Promise<void>
}

/** A new, empty database on the shared Postgres (some 30 ms). */
export async function emptyDatabase(): Promise<EmptyDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(`CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(stores().postgresUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

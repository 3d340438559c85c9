/** Which servers may serve loads: only one that holds everything that this process has applied. */
import { createDatabase, migrate } from '@tidemark/database'
import { emptyDatabase } from '@tidemark/testkit'
import type { EmptyDatabase } from '@tidemark/testkit'
import { Follower, TideTable } from '@tidemark/tide'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { verifyOrigin } from '../src/verify-origin.js'

let scratch: EmptyDatabase
beforeAll(async () => {
  scratch = await emptyDatabase()
  await migrate(scratch.url)
})
afterAll(() => scratch.drop())

/** A query by a process that follows the log in `term`, to a server in term 1; undefined: it follows none yet. */
async function queryInTerm(term: number | undefined): Promise<unknown> {
  const follower = new Follower(new TideTable({ buckets: 64, seed: 1 }))
  if (term !== undefined) follower.begin({ term, nonce: 1 }, { position: 1, mark: 1 })
  const database = createDatabase({
    url: scratch.url,
    name: 'verify-test',
    verify: (client) => verifyOrigin(client, follower),
  })
  try {
    const { rows } = await database.pool.query<{ one: number }>('SELECT 1 AS one')
    return rows[0]?.one
  } finally {
    await database.close()
  }
}

test('a server of the log`s own term may serve loads, also before a log is followed', async () => {
  expect(await queryInTerm(1)).toBe(1)
  expect(await queryInTerm(undefined)).toBe(1)
})

test('a server of a newer term may serve loads: what it gives is newer than its stamp', async () => {
  expect(await queryInTerm(0)).toBe(1)
})

test('a server of an older term than the log is refused: a deposed primary, or an old backup', async () => {
  await expect(queryInTerm(2)).rejects.toThrow(/term 1, the log is in term 2: it is a deposed primary/)
})

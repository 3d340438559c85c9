/** What the auditor concludes from the log, for every way in which a row can have changed since its truth. */
import { createDatabase, migrate } from '@tidemark/database'
import type { Database } from '@tidemark/database'
import { createLogReader, createSequencer, logDatabase } from '@tidemark/log'
import { addressOf, catalogue } from '@tidemark/resources'
import { seed } from '@tidemark/resources/seed'
import { emptyDatabase } from '@tidemark/testkit'
import type { EmptyDatabase } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { judge } from '../src/auditor/judge.js'
import type { State } from '../src/auditor/target.js'
import { tidemarkTarget } from '../src/auditor/tidemark-target.js'
import { readTruth } from '../src/auditor/truth-reader.js'
import type { ReaderAnswer } from '../src/reader/reader.js'

let scratch: EmptyDatabase
let database: Database
beforeAll(async () => {
  scratch = await emptyDatabase()
  await migrate(scratch.url)
  await seed(scratch.url, { products: 40 })
  database = createDatabase({ url: scratch.url, name: 'auditor-test' })
})
afterAll(async () => {
  await database.close()
  await scratch.drop()
})

const signal = new AbortController().signal
const sql = (text: string) => database.pool.query(text)

/** A reader that answers what the test says; everything else is real. */
function openTarget(answer: Partial<ReaderAnswer> & { headers?: Headers } = {}) {
  const log = logDatabase(database.pool)
  const sequencer = createSequencer({ log })
  return tidemarkTarget({
    registry: catalogue,
    database,
    reader: {
      get: () => Promise.resolve({ status: 200, headers: new Headers(), body: Buffer.from('{}'), ...answer }),
    },
    log: createLogReader(log),
    flush: async () => (await sequencer.sequence()).token,
    sampler: { next: () => Promise.resolve('/v1/products/1'), stop: () => undefined },
    followers: () => Promise.resolve([]),
  })
}

const stateNow = async (key: string): Promise<State> =>
  (await readTruth(database, addressOf(catalogue, key)!)).state

describe('of what has changed since the truth', () => {
  test.each([
    ['nothing', '/v1/products/1', 'UPDATE product SET stock = stock + 1 WHERE id = 2', 'untouched'],
    [
      'an update, which has no position yet',
      '/v1/products/1',
      'UPDATE product SET stock = stock + 1 WHERE id = 1',
      'updated',
    ],
    ['a delete', '/v1/products/3', 'DELETE FROM product WHERE id = 3', 'unknown'],
    ['an insert', '/v1/products/3', 'UPDATE product SET id = 3 WHERE id = 4', 'unknown'],
    ['a new epoch', '/v1/products/5', 'SELECT tidemark.new_epoch()', 'unknown'],
    [
      'a change of a list',
      '/v1/products?categoryId=1',
      'UPDATE product SET category_id = 1 WHERE id = 6',
      'unknown',
    ],
    [
      'no change of a list',
      '/v1/products?categoryId=1',
      'UPDATE product SET stock = 1 WHERE category_id = 2',
      'untouched',
    ],
    [
      'a change of what is embedded',
      '/v1/products?include=brand',
      `UPDATE brand SET name = name || '.'`,
      'unknown',
    ],
    [
      'a change of what is not embedded',
      '/v1/products/1',
      `UPDATE brand SET name = name || '.'`,
      'untouched',
    ],
    [
      'everything, by hand',
      '/v1/products/1',
      `INSERT INTO tidemark.outbox (resource, operation, tags) VALUES ('x', 'invalidate', '{*}')`,
      'unknown',
    ],
    [
      'a bulk change',
      '/v1/products/1',
      `INSERT INTO tidemark.outbox (resource, operation, tags) VALUES ('product', 'bulk', '{product!all}')`,
      'unknown',
    ],
    [
      'more than the log goes back',
      '/v1/products/7',
      `UPDATE product SET stock = 1 WHERE id = 8; SELECT tidemark.sequence(); UPDATE product SET stock = 2 WHERE id = 8;
      SELECT tidemark.sequence(); DELETE FROM tidemark.log l WHERE l.position < (SELECT c.position FROM tidemark.clock c)`,
      'unknown',
    ],
  ])('%s', async (_, key, change, since) => {
    const target = openTarget()
    const truth = await target.truth(key, signal)
    await sql(change)
    expect(await target.since(key, truth, await stateNow(key), signal)).toBe(since)
  })

  test('an answer that shows a commit which has no position yet is not called older', async () => {
    const target = openTarget()
    const truth = await target.truth('/v1/products/8', signal)
    await sql('UPDATE product SET stock = stock + 1 WHERE id = 8')
    const answer = await stateNow('/v1/products/8')
    expect(judge(truth.state, answer, await target.since('/v1/products/8', truth, answer, signal))).toBe(
      'consistent',
    )
  })
})

describe('an answer', () => {
  const ask = (answer: Parameters<typeof openTarget>[0]) =>
    openTarget(answer).answer('/v1/products/1', signal)

  test.each([
    ['its own bound', { 'tidemark-lag': '17', 'cache-status': 'tidemark; hit; detail=l1' }, 17],
    ['the bound of its resource, where its own is longer', { 'tidemark-lag': '99999' }, 2_000],
    ['the bound of its resource, where it names none', {}, 2_000],
    [
      'nothing, where it is labelled as stale',
      { 'cache-status': 'tidemark; hit; ttl=-1; detail=stale' },
      undefined,
    ],
  ])('promises %s', async (_, headers, promisedMs) => {
    const answer = await ask({ headers: new Headers(headers as Record<string, string>) })
    expect(answer.promisedMs).toBe(promisedMs)
    expect(answer.headers).toEqual(headers)
  })

  test.each([
    [404, { isPresent: false, digest: '', version: undefined }],
    [503, undefined],
    [429, undefined],
  ])('of status %i shows %j', async (status, state) => {
    expect((await ask({ status })).state).toEqual(state)
  })

  test('of a row has its version', async () => {
    expect((await ask({ body: Buffer.from('{"version":7}') })).state).toMatchObject({
      isPresent: true,
      version: 7,
    })
  })
})

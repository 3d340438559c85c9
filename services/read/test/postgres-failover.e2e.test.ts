/** Postgres loses commits that others have read: a standby that was behind is promoted. */
import { eventually, ownPostgresPair } from '@tidemark/testkit'
import type { House, OwnPostgresPair, Received, ServiceProcess } from '@tidemark/testkit'
import { afterEach, expect, test } from 'vitest'

import { layerOf } from './fixture/cache-status.js'
import { createProduct, tokenOf } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

const maxLagMs = 2_000
const patience = { timeoutMs: 30_000 }
const path = '/v1/products/1'

let house: House | undefined
let pair: OwnPostgresPair | undefined
afterEach(async () => {
  await house?.stop()
  await pair?.remove()
})

const stockOf = (answer: Received): number => answer.json<{ stock: number }>().stock
const isHeld = async (reader: ServiceProcess, stock: number): Promise<void> => {
  const answer = await reader.get(path)
  expect([answer.status, stockOf(answer)]).toEqual([200, stock])
  expect(layerOf(answer)).toMatch(/l1|l2/)
}

/**
 * Looks again and again, at every level: the lost value may be shown as stale and no otherwise, from the bound on. Ends when
 * every reader has answered with the present value from its cache, in the new term.
 */
async function neverAfloat(
  readers: readonly ServiceProcess[],
  { path, lost, present, term }: { path: string; lost: number; present: number; term: number },
): Promise<void> {
  const sinceMs = performance.now()
  for (const reader of readers)
    await eventually(async () => {
      for (const level of ['bounded', 'session', 'strict']) {
        const beganMs = performance.now() - sinceMs
        const answer = await reader.get(path, { 'Tidemark-Level': level })
        if (answer.status !== 200 || layerOf(answer) === 'stale') continue
        const isNew = tokenOf(answer).startsWith(`${term}-`)
        if ((isNew || beganMs > maxLagMs) && stockOf(answer) === lost)
          throw new NotAllowed(
            `${level}: the lost value, ${Math.round(beganMs)} ms after, ${tokenOf(answer)}`,
          )
      }
      const answer = await reader.get(path)
      expect([answer.status, stockOf(answer), layerOf(answer)]).toEqual([200, present, 'l1'])
      expect(tokenOf(answer)).toMatch(/^2-/)
    }, patience).catch((error: unknown) => {
      throw error instanceof Error && error.cause instanceof NotAllowed ? error.cause : error
    })
}
class NotAllowed extends Error {}

/** Writes go on, all are told of them, and the sink is in the new history. */
async function goesOn(one: House, readers: readonly ServiceProcess[], term: number): Promise<void> {
  const { token } = await eventually(() => createProduct(one), patience)
  expect(token).toMatch(`${term}-`)
  await one.sql('UPDATE product SET stock = 33 WHERE id = 1')
  for (const reader of readers)
    await eventually(async () => expect(stockOf(await reader.get(path))).toBe(33), patience)
  await eventually(async () => {
    const { sinks } = (await one.invalidation.get('/v1/status')).json<{
      sinks: { end: { term: number }; behind: number }[]
    }>()
    expect(sinks).toMatchObject([{ end: { term }, behind: 0 }])
  }, patience)
}

test('a standby that was behind is promoted: a value that was read, and then lost, is never afloat again', async () => {
  pair = await ownPostgresPair()
  house = await startShop({ database: { url: pair.url, drop: () => Promise.resolve() } })
  const readers = [house.read, await house.start('read')]
  await house.sql('UPDATE product SET stock = 1 WHERE id = 1')
  await pair.caughtUp()
  await pair.cutOff()
  await house.sql('UPDATE product SET stock = 2 WHERE id = 1')
  const lost = await createProduct(house)
  for (const reader of readers) await eventually(() => isHeld(reader, 2))

  await pair.failOver()
  await neverAfloat(readers, { path, lost: 2, present: 1, term: 2 })
  const old = await house.read.get(path, { Tidemark: lost.token })
  expect([stockOf(old), old.headers['cache-status']]).toEqual([1, expect.stringContaining('history=lost')])
  expect((await house.read.get(`/v1/products/${lost.id}`)).status).toBe(404)
  await goesOn(house, readers, 2)
}, 180_000)

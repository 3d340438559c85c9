import type { House, ServiceProcess } from '@tidemark/testkit'
import { eventually } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

const until = { timeoutMs: 30_000, everyMs: 50 }

let house: House
let invalidation: ServiceProcess
beforeAll(async () => {
  house = await startShop({ services: ['read'] })
  // The auditor would ask for a key that has just changed, now and then before it is warm.
  invalidation = await house.start('invalidation', { READ_URL: house.read.url, AUDIT_RATE: '0' })
})
afterAll(() => house.stop())

async function makeHot(...paths: string[]): Promise<void> {
  await eventually(async () => {
    for (const path of paths) for (let n = 0; n < 3; n++) await house.read.get(path)
    expect(await invalidation.metric('tidemark_hot_keys')).toBeGreaterThanOrEqual(paths.length)
  }, until)
}

const loaded = (): Promise<number> => invalidation.metric('tidemark_warm_jobs_total', { outcome: 'loaded' })

test('a hot row and a hot list that sink are loaded again before anybody asks for them', async () => {
  const paths = ['/v1/products/1', '/v1/products?categoryId=1']
  await house.sql('UPDATE product SET category_id = 1 WHERE id = 1')
  await makeHot(...paths)
  const before = await loaded()
  await house.sql('UPDATE product SET stock = 4711 WHERE id = 1')
  await eventually(async () => {
    expect(await loaded()).toBe(before + 2)
  }, until)
  for (const path of paths) {
    const answer = await house.read.get(path)
    expect(answer.headers['cache-status']).toContain('hit')
    expect(answer.text).toContain('"stock":4711')
  }
})

test('a change of everything loads what is hot, and what is not hot stays as it is', async () => {
  const cold = '/v1/products/77'
  await house.read.get(cold)
  await makeHot('/v1/products/2')
  const before = await loaded()
  await house.sql('UPDATE product SET stock = stock + 1')
  await eventually(async () => {
    expect(await loaded()).toBeGreaterThan(before)
    expect((await house.read.get('/v1/products/2')).headers['cache-status']).toContain('hit')
  }, until)
  expect((await house.read.get(cold)).headers['cache-status']).toContain('fwd=miss')
})

/** The auditor finds what readers cannot know of themselves: a lie between them and the client, and a change that nobody captured. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { House, Received, ServiceProcess } from '@tidemark/testkit'
import { documentedBy, eventually, exchange } from '@tidemark/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import type { AuditReport } from '../src/auditor/report.js'
import { startShop } from './fixture/shop.js'

const until = { timeoutMs: 45_000, everyMs: 100 }
const horizons = [0, 300, 1_000]

/** Stands before the reader, and may answer for it with what it was told to keep. */
class Between {
  readonly kept = new Map<string, Received>()
  #server: Server | undefined
  url = ''

  async listen(): Promise<void> {
    this.#server = createServer((req, res) => {
      const headers = Object.fromEntries(
        Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
      )
      const answer = async (): Promise<Received> =>
        this.kept.get(req.url!) ?? exchange(house.read.url, req.method!, req.url!, { headers })
      // Where the reader has ended there is nobody to ask, and the connection ends too.
      void answer().then(
        ({ status, headers: given, text }) => {
          const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...rest } = given
          res.writeHead(status, rest).end(text)
        },
        () => res.destroy(),
      )
    })
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }
}

let house: House
let invalidation: ServiceProcess
const between = new Between()
beforeAll(async () => {
  house = await startShop({ services: ['read'] })
  await between.listen()
  invalidation = await house.start('invalidation', {
    READ_URL: between.url,
    AUDIT_RATE: '40',
    AUDIT_HORIZONS: horizons.join(','),
  })
})
afterEach(() => {
  between.kept.clear()
})
afterAll(async () => {
  await house.stop()
  between.close()
})

const report = async (): Promise<AuditReport['targets'][number]> =>
  (await invalidation.get('/v1/audit')).json<AuditReport>().targets[0]!

/** A sample of this key that has been looked at at every horizon, older each time. */
const findingOf = (key: string) =>
  eventually(async () => {
    const { findings } = await report()
    const whole = findings.find(
      (finding) =>
        finding.key === key &&
        finding.answers.length === horizons.length &&
        finding.answers.every(({ verdict }) => verdict === 'inconsistent'),
    )
    return whole ?? null
  }, until)

const versionOf = async (id: number): Promise<number> =>
  (await house.sql<{ version: number }>('SELECT version FROM product WHERE id = $1', [id]))[0]!.version

test('readers that keep their word are accused of nothing, whatever is written', async () => {
  const embedding = ['/v1/products/1?include=brand', '/v1/products?include=brand,category']
  const paths = [
    '/v1/products/1',
    '/v1/products/2',
    '/v1/products?categoryId=1',
    '/v1/products',
    ...embedding,
  ]
  let turn = 0
  await eventually(async () => {
    for (const path of paths) await house.read.get(path)
    await house.sql('UPDATE product SET stock = stock + 1, category_id = 1 + $1 % 3 WHERE id <= 5', [turn++])
    await house.sql('DELETE FROM product WHERE id = $1', [200 + turn])
    await house.sql(`UPDATE brand SET name = 'Named ' || $1::text`, [turn])
    const { horizons: rows } = await report()
    expect(rows.every(({ consistent }) => consistent >= 60)).toBe(true)
  }, until)
  const { horizons: rows } = await report()
  expect(rows.map(({ brokenPromises }) => brokenPromises)).toEqual([0, 0, 0])
  expect(invalidation.process.output()).not.toContain('an answer was older than it may be')
})

test('a lie between reader and client is found at every horizon, with its history', async () => {
  const path = '/v1/products/7'
  const before = await house.read.get(path)
  between.kept.set(path, before)
  await house.sql('UPDATE product SET stock = stock + 1 WHERE id = 7')
  const finding = await findingOf(path)
  expect(finding.truth.version).toBe(await versionOf(7))
  expect(finding.answers.map(({ horizonMs }) => horizonMs)).toEqual(horizons)
  for (const answer of finding.answers) {
    expect(answer.state!.version).toBe(finding.truth.version! - 1)
    expect(answer.headers).toMatchObject({ 'cache-status': before.headers['cache-status'] })
  }
  expect(finding.history).toMatchObject({ followers: [{ service: 'read', term: 1 }] })
  expect((finding.history as { log: { changes: object[] }[] }).log.at(-1)!.changes).toMatchObject([
    { resource: 'product', key: '7', operation: 'update', version: finding.truth.version },
  ])
  expect(finding.answers.at(-1)!.isBrokenPromise).toBe(true)
  await eventually(() =>
    invalidation.process.output().includes(`an answer was older than it may be: ${path}`),
  )
  expect(await invalidation.metric('tidemark_audit_broken_promises_total')).toBeGreaterThan(0)
  expect(
    await invalidation.metric('tidemark_audit_samples_total', { horizon: '0.3', result: 'inconsistent' }),
  ).toBeGreaterThan(0)
})

test('a change that escaped capture is found, and the log has nothing of it', async () => {
  const path = '/v1/products/9'
  await eventually(async () => {
    for (let n = 0; n < 10; n++) await house.read.get(path)
    expect((await house.read.get(path)).headers['cache-status']).toContain('hit')
    expect(await invalidation.metric('tidemark_hot_keys')).toBeGreaterThan(0)
  }, until)
  await house.sql(`BEGIN; UPDATE product SET stock = stock + 1 WHERE id = 9;
    DELETE FROM tidemark.outbox WHERE resource = 'product' AND key = '9'; COMMIT`)
  const finding = await findingOf(path)
  expect(finding.truth.version).toBe(2)
  expect(finding.answers.map(({ state }) => state!.version)).toEqual([1, 1, 1])
  const { log } = finding.history as { log: { changes: { operation: string; key: string }[] }[] }
  // Its insert by the seed, and no more.
  expect(log.flatMap(({ changes }) => changes)).toMatchObject([{ operation: 'insert', key: '9' }])
})

test('the report is as documented', async () => {
  const documented = await documentedBy(invalidation)
  expect(documented.faults).toBeUndefined()
  expect(documented.mismatch('get /v1/audit', await invalidation.get('/v1/audit'))).toBe('')
})

/** How each service starts and ends: bounded, with one clear line, and the right exit code. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { emptyDatabase, eventually, faultProxy, launchService, ownRedis } from '@tidemark/testkit'
import type { House, ServiceName } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

const services: ServiceName[] = ['read', 'write', 'invalidation']

let house: House
beforeAll(async () => {
  house = await startShop({ services: [] })
})
afterAll(() => house.stop())

interface Line {
  readonly level: string
  readonly msg: string
}

/** Starts what cannot start, and gives the fatal lines that it printed and its exit code. */
async function failedStart(name: ServiceName, env: Record<string, string>) {
  const child = launchService(name, env)
  const startedAt = performance.now()
  const { code } = await child.ended
  const lines = child
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const fatal = lines.filter(({ level }) => level === 'fatal').map(({ msg }) => msg)
  return { code, fatal, tookMs: performance.now() - startedAt }
}

describe.each(services)('the %s service', (name) => {
  test('a wrong configuration: every mistake is named in one message, no password is shown, exit 1', async () => {
    const { code, fatal } = await failedStart(name, {
      ...{ PORT: '99999', LOG_LEVEL: 'loud', TIDEMARK_PREFIX: 'a b', SHUTDOWN_TIMEOUT: 'soon' },
      ...{ DATABASE_URL: 'mysql://user:hunter2@host/db', REDIS_URL: '' },
    })
    expect(code).toBe(1)
    expect(fatal).toHaveLength(1)
    for (const variable of [
      'PORT',
      'LOG_LEVEL',
      'TIDEMARK_PREFIX',
      'SHUTDOWN_TIMEOUT',
      'DATABASE_URL',
      'REDIS_URL',
    ])
      expect(fatal[0]).toContain(variable)
    expect(fatal[0]).not.toContain('hunter2')
  })

  test('a taken port: one line that names it and says what to do, exit 1', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const { code, fatal } = await failedStart(name, { ...house.env, PORT: String(port) })
    holder.close()
    expect(code).toBe(1)
    expect(fatal).toHaveLength(1)
    expect(fatal[0]).toMatch(new RegExp(`port ${port} .* is taken .* PORT`))
  })

  test('a Postgres that refuses, hangs or was never migrated: bounded, one line that names it, exit 1', async () => {
    const empty = await emptyDatabase()
    const proxy = await faultProxy(house.env['DATABASE_URL']!)
    proxy.hang()
    const refusing = house.env['DATABASE_URL']!.replace(/:\d+\//, ':1/')
    const starts = [refusing, proxy.url, empty.url].map((url) =>
      failedStart(name, { ...house.env, DATABASE_URL: url, STARTUP_TIMEOUT: '1500ms' }),
    )
    for (const { code, fatal, tookMs } of await Promise.all(starts)) {
      expect(code).toBe(1)
      expect(fatal).toHaveLength(1)
      expect(fatal[0]).toMatch(/^Postgres .*: check DATABASE_URL, and that the migrations have run/)
      expect(tookMs).toBeLessThan(20_000)
    }
    await proxy.close()
    await empty.drop()
  })

  test('it starts without Redis and says so; SIGTERM ends it with exit code 0', async () => {
    const redis = await ownRedis()
    await redis.kill()
    const service = await house.start(name, { REDIS_URL: redis.url })
    expect((await service.get('/livez')).status).toBe(200)
    const ready = await service.get('/readyz')
    expect([ready.status, ready.json()]).toMatchObject([200, { status: 'degraded' }])
    await service.process.kill('SIGTERM')
    expect(await service.process.ended).toEqual({ code: 0, signal: null })
    await redis.remove()
  })
})

describe.each([
  { name: 'read', ask: ['GET', '/v1/products/9'], status: 200 },
  { name: 'write', ask: ['PATCH', '/v1/products/9'], status: 200 },
  { name: 'invalidation', ask: ['POST', '/v1/invalidations'], status: 201 },
] as const)('the $name service at SIGTERM', ({ name, ask: [method, path], status }) => {
  test('answers what it has begun, takes nothing new, and exits 0', async () => {
    const service = await house.start(name, { SHUTDOWN_TIMEOUT: '20s' })
    const bodies = { GET: {}, PATCH: { json: { stock: 9 } }, POST: { json: { tags: ['x'], reason: 'x' } } }
    // Held by a lock on what the request needs, until the service says that it drains.
    const lock = house.sql(`BEGIN; LOCK TABLE product, tidemark.outbox; SELECT pg_sleep(1); COMMIT`)
    await eventually(async () => {
      const [held] = await house.sql(
        `SELECT 1 FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'product'::regclass`,
      )
      return held !== undefined
    })
    const answer = service.send(method, path, bodies[method])
    await eventually(async () => (await service.metric('http_server_active_requests')) >= 2)
    service.process.signal('SIGTERM')
    await eventually(() => service.process.output().includes('"draining"'))
    await expect(service.send('GET', '/livez')).rejects.toThrow()
    const answered = await answer
    expect([answered.status, answered.headers['connection']]).toEqual([status, 'close'])
    await lock
    expect(await service.process.ended).toEqual({ code: 0, signal: null })
  })
})

/** Webhooks over a real log, real queues and a real receiver: every change is told once or more. */
import { eventually, faultProxy, redisSpace } from '@tidemark/testkit'
import { expect, test } from 'vitest'
import type { Jobs } from '../src/jobs/jobs.js'
import { queueOf } from '../src/webhooks/hook.js'
import { jsonHook, openHookHouse, purgingHook } from './fixture/hook-house.js'
import type { HookHouse } from './fixture/hook-house.js'
import { startReceiver, status } from './fixture/receiver.js'

const until = { timeoutMs: 30_000 }
const names = (count: number, prefix = 'product'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}:${i}`)

/** A hook's cursor begins at the log's head: what is to be told must come after. */
const begun = (cursors: { all(): Promise<readonly { name: string }[]> }, count = 1) =>
  eventually(async () => (await cursors.all()).length === count, until)

test('a receiver that was down for a while is told everything that it missed', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  receiver.answer = status(503)
  const { jobs } = house.start([jsonHook(receiver.url, { attempts: 20 })])
  await begun(house.cursors)
  await house.change(...names(5))
  await eventually(() => receiver.got.length >= 5, until)
  receiver.answer = status(204)
  await eventually(() => {
    expect([...receiver.tags()].sort()).toEqual(names(5))
  }, until)
  await eventually(async () => {
    const { waiting, delayed, active, failed } = await jobs.depth(queueOf('orders'))
    expect([waiting, delayed, active, failed]).toEqual([0, 0, 0, 0])
  }, until)
})

test('a process that dies between a page and its cursor: the next one tells the page again, and queues nothing twice', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  // Nothing is delivered before the second process looks: jobs wait.
  receiver.answer = () => undefined
  const hook = jsonHook(receiver.url, { concurrency: 1, timeoutMs: 30_000 })
  let moves = 0
  const dying = { ...house.cursors, move: () => Promise.reject(new Error(`died ${moves++}`)) }
  const first = house.start([hook], { cursors: dying })
  await begun(house.cursors)
  await house.change(...names(3))
  await eventually(() => moves >= 2, until)
  const before = await first.jobs.depth(queueOf('orders'))
  await eventually(() => moves >= 4, until)
  expect(await first.jobs.depth(queueOf('orders'))).toEqual(before)
  void first.stop()
  house.start([hook])
  receiver.answer = status(204)
  await eventually(() => {
    expect([...receiver.tags()].sort()).toEqual(names(3))
  }, until)
})

test('a slow receiver and a dead one hold up no other', async () => {
  const house = await openHookHouse()
  const [slow, quick] = [await startReceiver(), await startReceiver()]
  slow.answer = () => undefined
  house.start([
    jsonHook(slow.url, { name: 'slow', timeoutMs: 30_000, concurrency: 1 }),
    jsonHook('http://127.0.0.1:9', { name: 'dead', attempts: 30 }),
    jsonHook(quick.url, { name: 'quick' }),
  ])
  await begun(house.cursors, 3)
  await house.change(...names(20))
  await eventually(() => quick.tags().size === 20, until)
  expect(slow.got).toHaveLength(1)
})

test('a full backlog holds the cursor, and the log is the buffer', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  receiver.answer = status(400)
  const { jobs } = house.start([jsonHook(receiver.url, { backlogMax: 2 })])
  await begun(house.cursors)
  const queue = queueOf('orders')
  for (const tag of names(2)) {
    const { failed } = await jobs.depth(queue)
    await house.change(tag)
    await eventually(async () => (await jobs.depth(queue)).failed === failed + 1, until)
  }
  const held = (await house.flush.flush()).token.position
  await eventually(async () => (await house.cursors.all())[0]!.position === held, until)
  await house.change('product:8', 'product:9')
  // The lease of a cursor that is held back is renewed with each look at its queue.
  for (let look = 0; look < 2; look++) {
    const before = await leaseOf(house)
    await eventually(async () => (await leaseOf(house)) > before, until)
  }
  expect((await house.cursors.all())[0]!.position).toBe(held)
  expect((await jobs.depth(queue)).failed).toBe(2)
  receiver.answer = status(204)
  for (const dead of await jobs.queue(queue).getFailed())
    await dead.retry('failed', { resetAttemptsMade: true })
  await eventually(() => {
    expect([...receiver.tags()].sort()).toEqual(['product:0', 'product:1', 'product:8', 'product:9'])
  }, until)
})

async function leaseOf({ pool }: HookHouse): Promise<number> {
  const { rows } = await pool.query<{ until: Date }>('SELECT held_until AS until FROM tidemark.cursor')
  return rows[0]!.until.getTime()
}

test('a log that was trimmed past the cursor is told as a reset', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  const first = house.start([jsonHook(receiver.url)])
  await begun(house.cursors)
  await first.stop()
  await house.change(...names(3))
  await house.pool.query('DELETE FROM tidemark.log WHERE position < (SELECT max(position) FROM tidemark.log)')
  house.start([jsonHook(receiver.url)])
  await eventually(() => receiver.got.length === 1, until)
  expect(JSON.parse(receiver.got[0]!.body)).toMatchObject({
    type: 'tidemark.reset',
    data: { hook: 'orders', reason: 'trimmed' },
  })
  await house.change('product:7')
  await eventually(() => receiver.tags().has('product:7'), until)
})

test('a new epoch is told as a reset, to every filter', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  house.start([jsonHook(receiver.url, { tags: ['brand:1'] })])
  await begun(house.cursors)
  await house.pool.query('SELECT tidemark.new_epoch()')
  await house.change('product:1', 'brand:1')
  await eventually(() => receiver.tags().size > 0, until)
  const told = receiver.got.map(({ body }) => JSON.parse(body) as { type: string; data: { reason?: string } })
  expect(told.find(({ type }) => type === 'tidemark.reset')?.data.reason).toBe('epoch')
  expect([...receiver.tags()]).toEqual(['brand:1'])
})

test('the Redis of the queues away: the cursor waits, and deliveries resume when it is back', async () => {
  const proxy = await faultProxy(redisSpace().url)
  const house = await openHookHouse({ queueUrl: proxy.url })
  const receiver = await startReceiver()
  house.start([jsonHook(receiver.url)])
  await begun(house.cursors)
  await proxy.cut()
  // The log itself goes another way, and is as quick as ever.
  await house.change(...names(4))
  expect(house.tide.status().lagMs).toBeLessThan(5_000)
  await proxy.heal()
  await eventually(() => {
    expect([...receiver.tags()].sort()).toEqual(names(4))
  }, until)
  await proxy.close()
})

test('messages that could not be queued come again', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  let refusals = 0
  const through = (jobs: Jobs): Jobs => ({
    ...jobs,
    add: (...given) => (refusals++ < 2 ? Promise.reject(new Error('the queue is full')) : jobs.add(...given)),
  })
  house.start([jsonHook(receiver.url)], { through })
  await begun(house.cursors)
  await house.change('product:1')
  await eventually(() => receiver.tags().has('product:1'), until)
})

test('refused is dead at once, asked patience is had, and each is counted', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  const { jobs, metrics } = house.start([jsonHook(receiver.url)])
  await begun(house.cursors)
  const queue = queueOf('orders')
  for (const [index, refusal] of [410, 404].entries()) {
    receiver.answer = status(refusal)
    await house.change(`product:${index}`)
    await eventually(async () => (await jobs.depth(queue)).failed === index + 1, until)
  }
  expect(receiver.got).toHaveLength(2)
  receiver.answer = status(429, { 'Retry-After': '3600' })
  await house.change('product:9')
  await eventually(async () => (await jobs.depth(queue)).delayed === 1, until)
  const [patient] = await jobs.queue(queue).getDelayed()
  expect(patient!.delay).toBe(3_600_000)
  expect(patient!.attemptsMade).toBe(1)
  const text = await metrics.registry.metrics()
  expect(text).toContain(
    'tidemark_webhook_deliveries_total{hook="orders",outcome="refused",service="test"} 2',
  )
  expect(text).toContain('tidemark_webhook_deliveries_total{hook="orders",outcome="failed",service="test"} 1')
  expect(text).not.toContain(receiver.url)
})

test('a redirect is not followed', async () => {
  const house = await openHookHouse()
  const [receiver, elsewhere] = [await startReceiver(), await startReceiver()]
  receiver.answer = status(307, { Location: elsewhere.url })
  const { jobs } = house.start([jsonHook(receiver.url, { attempts: 2 })])
  await begun(house.cursors)
  await house.change('product:1')
  await eventually(async () => (await jobs.depth(queueOf('orders'))).failed === 1, until)
  expect(receiver.got).toHaveLength(2)
  expect(elsewhere.got).toHaveLength(0)
})

test('a purge comes twice, the second time when readers must know of the change', async () => {
  const house = await openHookHouse()
  const receiver = await startReceiver()
  const { jobs } = house.start([purgingHook(receiver.url, 300)])
  await begun(house.cursors)
  await house.change('product:1')
  await eventually(() => receiver.got.length === 2, until)
  const [first, second] = receiver.got.map(({ method, headers }) => [method, headers['xkey-purge']])
  expect(first).toEqual(['PURGE', 'product:1'])
  expect(second).toEqual(first)
  const done = await jobs.queue(queueOf('edge')).getCompleted()
  expect(done.map(({ delay, opts }) => opts.delay ?? delay).sort()).toEqual([0, 300])
})

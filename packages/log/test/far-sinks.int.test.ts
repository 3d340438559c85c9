import { eventually, faultProxy, ownRedis, redisSpace } from '@tidemark/testkit'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { createLogReader, createSequencer, createShipper, redisSink, systemClock } from '../src/index.js'
import type { Sink, SinkRun } from '../src/index.js'
import { flusher, freshLog, keepFlushing, startFollower } from './fixture/log-fixture.js'

const maxLagMs = 2_000

/** A Redis behind a line on which every byte takes `delayMs` each way. */
async function distant(redisUrl: string, delayMs: number): Promise<string> {
  const target = new URL(redisUrl)
  const port = Number(target.port)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, target.hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes: Buffer) => setTimeout(() => to.write(bytes), delayMs))
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  target.port = String((server.address() as AddressInfo).port)
  return target.href
}

test('a region 100 ms away: its followers are told all and proven, and nobody waits for it', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const far = { redis: url, prefix: `${prefix}far` }
  const farSinks = [redisSink({ ...far, redis: await distant(url, 50), name: 'far', timeoutMs: 2_000 })]
  const flush = flusher(log, [{ redis: url, prefix }], { farSinks })
  keepFlushing(flush, 5)
  const near = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  const there = await startFollower({ redis: far, maxLagMs })
  await eventually(() => there.status().mode === 'stream' && near.status().mode === 'stream')
  await log.write('product:1')
  const { token, shipped } = await flush.flush()
  expect(shipped).toBe(true)
  expect(await near.reach(token, 2_000)).toBe('reached')
  expect(await there.reach(token, 5_000)).toBe('reached')
  const before = there.follower.provenAt!.monoMs
  await eventually(() => there.follower.provenAt!.monoMs > before + 1_000)
  expect(there.status().counters.rebased).toBeLessThanOrEqual(1)
  expect(flush.codes()).toEqual([])
})

test('far regions that hang, are stopped or dead hold up neither the near one nor each other, nor a token', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const [stopped, dead] = [await ownRedis(), await ownRedis()]
  onTestFinished(() => stopped.remove())
  onTestFinished(() => dead.remove())
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const well = { redis: url, prefix: `${prefix}well` }
  const farSinks = [
    { redis: stopped.url },
    { redis: dead.url },
    { redis: proxy.url, prefix: `${prefix}hung` },
    well,
  ].map((endpoint, i) => redisSink({ ...endpoint, name: `far ${i}`, timeoutMs: 2_000 }))
  const flush = flusher(log, [{ redis: url, prefix }], { farSinks })
  await eventually(async () => {
    await flush.flush()
    return flush.status().every(({ end }) => end !== undefined)
  })
  const near = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  const there = await startFollower({ redis: well, maxLagMs })
  await stopped.pause()
  await dead.kill()
  proxy.hang()
  keepFlushing(flush, 5)
  for (let i = 0; i < 50; i++) {
    await log.write(`product:${i}`)
    const { token, shipped } = await flush.flush()
    expect(shipped).toBe(true)
    expect(await near.reach(token, 2_000)).toBe('reached')
    expect(await there.reach(token, 2_000)).toBe('reached')
  }
  const before = near.now().monoMs
  await eventually(() => near.follower.provenAt!.monoMs > before && there.follower.provenAt!.monoMs > before)
  expect(near.status().counters.pulls + there.status().counters.pulls).toBe(0)

  await stopped.resume()
  await dead.start()
  await proxy.heal()
  const { token } = await flush.flush()
  await eventually(() => flush.status().every(({ end }) => (end?.link.position ?? 0) >= token.position), {
    timeoutMs: 20_000,
  })
})

test('a counter that came late is used by a run that begins after it: what commits in between is not covered', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const far = { redis: url, prefix }
  const real = redisSink(far)
  let answer: (() => void) | undefined
  const slow = {
    ...real,
    name: 'slow',
    async count() {
      const count = await real.count()
      await new Promise<void>((resolve) => (answer = resolve))
      return count
    },
  }
  const flush = flusher(log, [], { farSinks: [slow] })
  await flush.flush()
  await eventually(() => answer !== undefined)
  const live = await startFollower({ redis: far, maxLagMs })
  const asked = await eventually(() => live.now())
  await log.write('product:1')
  await flush.flush()
  // Read before the follower asked: it is no answer to it.
  answer?.()
  await eventually(async () => {
    const { token } = await flush.flush()
    answer?.()
    await live.reach(token, 100)
    return (live.follower.provenAt?.monoMs ?? 0) > asked.monoMs
  })
  expect(live.follower.table.floorOf('product:1')).toBe(2)
})

test('a count that waits with its shipment answers for the newer one that takes its place', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const real = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    real.close()
  })
  const runs: SinkRun[] = []
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const gated: Sink = {
    ...real,
    async put(run) {
      runs.push(run)
      await gate
      return real.put(run)
    },
  }
  const shipper = createShipper({ sink: gated, log: createLogReader(log.log), clock: systemClock })
  const head = await createSequencer({ log: log.log }).sequence()
  const asked = { generation: 7, count: 3 }
  const shipments = [
    shipper.ship({ ...head, asked: undefined }),
    shipper.ship({ ...head, asked }),
    shipper.ship({ ...head, asked: undefined }),
  ]
  release()
  expect(await Promise.all(shipments)).toEqual([true, true, true])
  expect(runs.at(-1)?.heartbeat?.asked).toEqual(asked)
})

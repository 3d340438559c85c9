/** The Redis-only log on more than one server. */
import { eventually, ownCluster, ownSentinel } from '@tidemark/testkit'
import type { OwnCluster, OwnSentinel } from '@tidemark/testkit'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'

import { logKeys } from '../src/index.js'
import { isAfloat, isProven, startRedisLog } from './fixture/logs.js'
import type { OwnLog } from './fixture/logs.js'
import { redisAt } from './fixture/log-fixture.js'

const prefix = 'tidemark'
const key = logKeys(prefix).log
const patience = { timeoutMs: 20_000 }

function sentinelClient({ sentinels, name }: OwnSentinel): Redis {
  const redis = new Redis({ sentinels: sentinels.map((one) => ({ ...one })), name, commandTimeout: 100 })
  redis.on('error', () => undefined)
  onTestFinished(() => {
    redis.disconnect()
  })
  return redis
}

function clusterClient({ nodes }: OwnCluster, options: { lazyConnect?: boolean } = {}): Cluster {
  const starts = nodes.map((url) => ({ host: '127.0.0.1', port: Number(new URL(url).port) }))
  const cluster = new Cluster(starts, options)
  cluster.on('error', () => undefined)
  onTestFinished(() => {
    cluster.disconnect()
  })
  return cluster
}

const follow = (redis: Redis | Cluster): Promise<OwnLog> =>
  startRedisLog({ redis, prefix, invalidateTimeoutMs: 10_000 })

async function works(from: OwnLog, to: OwnLog): Promise<void> {
  const before = to.follower.stamp()
  const token = await from.invalidate(['product:works'])
  expect(await to.reach(token, 10_000)).toBe('reached')
  expect(isAfloat(to, before, 'product:works')).toBe(false)
}

const inNewEpoch = (logs: readonly OwnLog[], term: number): Promise<unknown> =>
  eventually(() => {
    for (const log of logs) {
      expect(log.follower.epoch!.term).toBeGreaterThan(term)
      expect(log.follower.epoch).toEqual(logs[0]!.follower.epoch)
      expect(isProven(log)).toBe(true)
    }
  }, patience)

describe('behind Sentinel', () => {
  test('a master that is demoted while it lives: its followers go to the new one, in a new epoch', async () => {
    const set = await ownSentinel()
    onTestFinished(() => set.remove())
    const client = sentinelClient(set)
    const logs = [await follow(client), await follow(client)] as const
    await works(...logs)
    const { term } = logs[0].follower.epoch!
    const stamps = logs.map((log) => log.follower.stamp())
    await set.failOver()
    await inNewEpoch(logs, term)
    for (const [i, log] of logs.entries()) expect(isAfloat(log, stamps[i], 'product:none')).toBe(false)
    await works(...logs)
  })

  test('an invalidation that was acknowledged and then lost with its master: everything sinks, so nothing old survives', async () => {
    const set = await ownSentinel()
    onTestFinished(() => set.remove())
    const logs = [await follow(sentinelClient(set)), await follow(sentinelClient(set))] as const
    await works(...logs)
    const { term } = logs[0].follower.epoch!
    const before = logs[1].follower.stamp()
    let lost = { term: 0, position: 0 }
    await set.loseTail(async () => {
      lost = await logs[0].invalidate(['product:lost'])
    })
    await inNewEpoch(logs, term)
    expect(isAfloat(logs[1], before, 'product:lost')).toBe(false)
    expect(await logs[1].reach(lost, 5_000)).toBe('history-lost')
    await works(...logs)
  })
})

describe('on a Cluster', () => {
  test('the log lies on one node, and moves with its slot', async () => {
    const cluster = await ownCluster()
    onTestFinished(() => cluster.remove())
    const logs = [
      await follow(clusterClient(cluster)),
      await follow(clusterClient(cluster, { lazyConnect: true })),
    ] as const
    await works(...logs)
    const { term } = logs[0].follower.epoch!
    const owner = await cluster.ownerOf(key)
    expect(await redisAt(owner.url).exists(key)).toBe(1)
    await cluster.moveSlot(
      key,
      cluster.servers.find((server) => server !== owner)!,
    )
    await inNewEpoch(logs, term)
    await works(...logs)
  })

  test('the node dies, its replica takes over: a new epoch, and everybody there', async () => {
    const cluster = await ownCluster({ replicas: 1 })
    onTestFinished(() => cluster.remove())
    const logs = [await follow(clusterClient(cluster)), await follow(clusterClient(cluster))] as const
    await works(...logs)
    const { term } = logs[0].follower.epoch!
    const before = logs[0].follower.stamp()
    const owner = await cluster.ownerOf(key)
    await owner.kill()
    await cluster.failOver(owner)
    await inNewEpoch(logs, term)
    expect(isAfloat(logs[0], before, 'product:none')).toBe(false)
    await works(...logs)
  })
})

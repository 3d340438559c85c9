import { redisSpace } from '@tidemark/testkit'
import { Follower, TideTable } from '@tidemark/tide'
import type { FollowerSnapshot } from '@tidemark/tide'
import { expect, test } from 'vitest'

import { loadCheckpoint, logKeys, saveCheckpoint } from '../src/index.js'
import { flusher, freshLog, redisAt, startFollower } from './fixture/log-fixture.js'

const buckets = 1024
const maxLagMs = 60_000

async function savedAt3() {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const redis = redisAt(url)
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const saver = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  for (let i = 0; i < 2; i++) {
    await log.write('product:1')
    await saver.reach((await flush.flush()).token, 2_000)
  }
  const snapshot = saver.follower.snapshot()!
  expect(await saveCheckpoint(redis, snapshot, prefix)).toBe(true)
  return { log, url, prefix, redis, flush, saver, snapshot, endpoint: { redis: url, prefix } }
}

test('a follower that starts from a checkpoint sinks nothing that did not change since', async () => {
  const { log, flush, saver, endpoint } = await savedAt3()
  const old = saver.follower.stamp()!
  await log.write('product:2')
  const { token } = await flush.flush()
  const live = await startFollower({ redis: endpoint, maxLagMs })
  expect(live.status().startedFrom).toBe('checkpoint')
  expect(await live.reach(token, 2_000)).toBe('reached')
  const { follower } = live
  expect(follower.table.base).toBe(1)
  expect(follower.isAfloat(old, follower.table.locate(['product:1']))).toBe(true)
  expect(follower.isAfloat(old, follower.table.locate(['product:2']))).toBe(false)
  expect(live.status().counters.rebased).toBe(0)
})

test('a checkpoint of a term below the stream is refused', async () => {
  const { log, flush, endpoint } = await savedAt3()
  await log.query('SELECT tidemark.new_epoch(0)')
  await flush.flush()
  const live = await startFollower({ redis: endpoint, maxLagMs })
  expect(live.status()).toMatchObject({ startedFrom: 'tail', epoch: { term: 2 } })
  expect(live.codes()).toEqual(['log.checkpoint-refused'])
})

/** A snapshot of a history that neither the stream nor the log knows. */
function foreign(term: number): FollowerSnapshot {
  const other = new Follower(new TideTable({ buckets, seed: 9 }))
  other.begin({ term, nonce: 77 }, { position: 4_711, mark: 3 })
  return other.snapshot()!
}

test.each([1, 5])('a checkpoint of a foreign history is refused, and replaced: term %i', async (term) => {
  const { log, redis, prefix, endpoint, snapshot } = await savedAt3()
  await redis.del(logKeys(prefix).checkpoint)
  expect(await saveCheckpoint(redis, foreign(term), prefix)).toBe(true)
  const live = await startFollower({ redis: endpoint, postgres: log.log, maxLagMs })
  expect(live.status()).toMatchObject({ startedFrom: 'tail', epoch: { term: 1 } })
  expect(live.codes()).toEqual(['log.checkpoint-refused'])
  await live.pull()
  expect(live.follower.provenAt).toBeDefined()
  expect(await saveCheckpoint(redis, snapshot, prefix)).toBe(true)
  expect((await startFollower({ redis: endpoint, maxLagMs })).status().startedFrom).toBe('checkpoint')
})

test('without a stream a checkpoint is taken if the log has its link in its present epoch, and only then', async () => {
  const { log, redis, prefix, endpoint, snapshot } = await savedAt3()
  await redis.del(logKeys(prefix).log)
  const start = (): ReturnType<typeof startFollower> =>
    startFollower({ redis: endpoint, postgres: log.log, maxLagMs })
  expect((await start()).status().startedFrom).toBe('checkpoint')
  expect((await startFollower({ redis: endpoint, maxLagMs })).status().startedFrom).toBeUndefined()
  await redis.del(logKeys(prefix).checkpoint)
  const { link } = snapshot
  await saveCheckpoint(redis, { ...snapshot, link: { ...link, mark: link.mark + 1 } }, prefix)
  expect((await start()).status().startedFrom).toBe('postgres')
  await saveCheckpoint(redis, foreign(5), prefix)
  expect((await start()).status()).toMatchObject({ startedFrom: 'postgres', epoch: { term: 1 } })
})

test('a damaged checkpoint is refused, said so, and starting goes on without it', async () => {
  const { redis, prefix, endpoint } = await savedAt3()
  await redis.setrange(logKeys(prefix).checkpoint, 60, 'damage')
  const live = await startFollower({ redis: endpoint, maxLagMs })
  expect(live.status().startedFrom).toBe('tail')
  expect(live.codes()).toEqual(['log.checkpoint-refused'])
})

test('a checkpoint laid out for another table size is refused', async () => {
  const { endpoint } = await savedAt3()
  const live = await startFollower({ redis: endpoint, maxLagMs, buckets: 2048 })
  expect(live.status().startedFrom).toBe('tail')
})

test('an older checkpoint never replaces a newer one: by term first, then by position, where no stream says which term is live', async () => {
  const { redis, prefix, snapshot } = await savedAt3()
  await redis.del(logKeys(prefix).log)
  const at = (term: number, position: number): typeof snapshot => ({
    ...snapshot,
    epoch: { ...snapshot.epoch, term },
    link: { ...snapshot.link, position },
  })
  expect(await saveCheckpoint(redis, at(1, 2), prefix)).toBe(false)
  expect(await saveCheckpoint(redis, at(1, 10), prefix)).toBe(true)
  expect(await saveCheckpoint(redis, at(1, 9), prefix)).toBe(false)
  expect(await saveCheckpoint(redis, at(2, 5), prefix)).toBe(true)
  expect(await saveCheckpoint(redis, at(1, 99), prefix)).toBe(false)
  const held = await loadCheckpoint(redis, { buckets }, prefix)
  expect(held?.kind === 'snapshot' && [held.snapshot.epoch.term, held.snapshot.link.position]).toEqual([2, 5])
})

test('a checkpoint that cannot be read is no rival, however new it claims to be', async () => {
  const { redis, prefix, snapshot } = await savedAt3()
  await redis.setrange(logKeys(prefix).checkpoint, 13, '9999999999')
  expect(await saveCheckpoint(redis, snapshot, prefix)).toBe(true)
  expect((await loadCheckpoint(redis, { buckets }, prefix))?.kind).toBe('snapshot')
})

test('a key of another type where the checkpoint belongs is replaced', async () => {
  const { redis, prefix, snapshot } = await savedAt3()
  await redis.multi().del(logKeys(prefix).checkpoint).lpush(logKeys(prefix).checkpoint, 'x').exec()
  expect(await saveCheckpoint(redis, snapshot, prefix)).toBe(true)
})

test('there is no checkpoint: undefined', async () => {
  const { url, prefix } = redisSpace()
  expect(await loadCheckpoint(redisAt(url), { buckets }, prefix)).toBeUndefined()
})

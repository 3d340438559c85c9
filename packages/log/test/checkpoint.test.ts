import { Follower, TideTable } from '@tidemark/tide'
import type { FollowerSnapshot } from '@tidemark/tide'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint-format.js'

const buckets = 64

function snapshot(seed = 7): FollowerSnapshot {
  const follower = new Follower(new TideTable({ buckets, seed }))
  const epoch = { term: 3, nonce: 2 ** 47 + 1 }
  follower.begin(epoch, { position: 100, mark: 5 })
  for (let i = 1; i <= 500; i++)
    follower.apply({ epoch, position: 100 + i, mark: 5 + i, previousMark: 4 + i, tags: [`product:${i}`] })
  return follower.snapshot()!
}

test('a follower that goes on from a checkpoint has every floor of the one that saved it', async () => {
  const saved = snapshot()
  const decoded = await decodeCheckpoint(await encodeCheckpoint(saved), { buckets, seed: 7 })
  expect(decoded).toEqual({ kind: 'snapshot', snapshot: saved })
  const follower = new Follower(new TideTable({ buckets, seed: 99 }))
  expect(decoded.kind === 'snapshot' && follower.restore(decoded.snapshot)).toBe(true)
  for (let i = 1; i <= 500; i++)
    expect(follower.table.floorOf(`product:${i}`)).toBeGreaterThanOrEqual(100 + i)
  expect(follower.link).toEqual({ position: 600, mark: 505 })
})

test.each([
  ['another layout', { buckets: 128 }, 'buckets'],
  ['another hash seed', { buckets, seed: 8 }, 'seed'],
])('a checkpoint of %s is refused', async (_, expected, word) => {
  const decoded = await decodeCheckpoint(await encodeCheckpoint(snapshot()), expected)
  expect(decoded.kind === 'refused' && decoded.reason).toContain(word)
})

test('a checkpoint of another format version is refused', async () => {
  const bytes = await encodeCheckpoint(snapshot())
  bytes.write('TIDEMARK-CP9 ', 'latin1')
  expect(await decodeCheckpoint(bytes, { buckets })).toMatchObject({ kind: 'refused' })
})

test('any byte changed, anywhere, is noticed', async () => {
  const bytes = await encodeCheckpoint(snapshot())
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ by
      expect((await decodeCheckpoint(changed, { buckets })).kind).toBe('refused')
    }),
    { numRuns: 300 },
  )
})

test('a truncated checkpoint and arbitrary bytes are refused, never thrown over', async () => {
  const bytes = await encodeCheckpoint(snapshot())
  for (let length = 0; length < bytes.length; length += 13)
    expect((await decodeCheckpoint(bytes.subarray(0, length), { buckets })).kind).toBe('refused')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
      expect((await decodeCheckpoint(Buffer.from(noise), { buckets })).kind).toBe('refused')
    }),
  )
})

test('a checkpoint that inflates to more than its table is refused before it takes the memory', async () => {
  const large = new TideTable({ buckets: 4096, seed: 7 }).snapshot()
  const lying = { ...snapshot(), table: { ...large, buckets } }
  const decoded = await decodeCheckpoint(await encodeCheckpoint(lying), { buckets })
  expect(decoded).toEqual({ kind: 'refused', reason: 'its table cannot be inflated within its size' })
  const short = { ...snapshot(), table: { ...lying.table, words: new Uint32Array(16) } }
  expect(await decodeCheckpoint(await encodeCheckpoint(short), { buckets })).toMatchObject({
    kind: 'refused',
  })
})

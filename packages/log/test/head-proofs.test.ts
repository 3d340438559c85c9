import { always, Follower, TideTable } from '@tidemark/tide'
import { expect, test } from 'vitest'

import { systemClock } from '../src/clock.js'
import { ObservedFollower } from '../src/follow/observed-follower.js'
import { HeadProofs } from '../src/own/head-proofs.js'

const epoch = { term: 7, nonce: 1 }
const at = (ms: number) => ({ monoMs: ms, wallMs: ms })
const link = (position: number) => ({ position, mark: 100 + position })

function followed() {
  const observed = new ObservedFollower(
    new Follower(new TideTable({ buckets: 16, seed: 1 })),
    systemClock,
    () => undefined,
  )
  observed.jump(epoch, link(1))
  const proofs = new HeadProofs(observed)
  const step = (position: number): void => {
    observed.follower.apply({ ...link(position), epoch, previousMark: 99 + position, tags: [] })
    proofs.check()
  }
  return { follower: observed.follower, observed, proofs, step }
}

test('a head that is applied already proves at once; one that is ahead, when it is reached', () => {
  const { follower, proofs, step } = followed()
  proofs.add(epoch, link(1), at(10))
  expect(follower.provenAt).toEqual(at(10))
  proofs.add(epoch, link(3), at(20))
  step(2)
  expect(follower.provenAt).toEqual(at(10))
  step(3)
  expect(follower.provenAt).toEqual(at(20))
})

test('a follower that is always behind proves something: the oldest head asked for is never given up', () => {
  const { follower, proofs, step } = followed()
  for (let i = 0; i < 100; i++) proofs.add(epoch, link(2 + i), at(20 + i))
  step(2)
  expect(follower.provenAt).toEqual(at(20))
})

test('a head of an epoch to come waits for it; one of an epoch that ended, or whose server is gone, proves nothing', () => {
  const { follower, observed, proofs } = followed()
  const next = { term: 8, nonce: 2 }
  proofs.add({ term: 7, nonce: 3 }, link(1), at(10))
  proofs.add(epoch, link(2), at(20))
  proofs.add(next, link(5), at(30))
  observed.jump(next, link(5))
  proofs.check()
  expect(follower.provenAt).toEqual(at(30))
  proofs.add(next, link(6), at(40))
  proofs.void()
  follower.apply({ ...link(6), epoch: next, previousMark: 105, tags: [] })
  proofs.check()
  expect(follower.provenAt).toEqual(at(30))
})

test('whoever is always proven stays so', () => {
  const { follower, observed } = followed()
  observed.prove(epoch, link(1), always, 'memory')
  observed.prove(epoch, link(1), at(50), 'stream')
  expect(follower.lagMs(at(1e9))).toBe(0)
})

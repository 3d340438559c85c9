import { describe, expect, test } from 'vitest'
import type { Epoch, Step } from '../src/index.js'
import { Follower, TideTable } from '../src/index.js'

const first: Epoch = { term: 1, nonce: 11 }
const second: Epoch = { term: 2, nonce: 22 }
const markOf = (position: number, epoch = first): number => epoch.nonce * 1000 + position

const step = (position: number, tags: string[] = [], epoch = first): Step => ({
  epoch,
  position,
  mark: markOf(position, epoch),
  previousMark: markOf(position - 1, epoch),
  tags,
})
const link = (position: number, epoch = first) => ({ position, mark: markOf(position, epoch) })
const beat = (position: number, count = 0, epoch = first) => ({
  epoch,
  link: link(position, epoch),
  generation: 7,
  count,
})
const at = (ms: number) => ({ monoMs: ms, wallMs: ms })
const newFollower = (seed = 1) => new Follower(new TideTable({ buckets: 64, seed }))
const followerAt = (position: number, epoch = first) => {
  const follower = newFollower()
  follower.begin(epoch, link(position, epoch))
  return follower
}
const isAfloat = (follower: Follower, tidemark: number, tags: string[], epoch = first) =>
  follower.isAfloat({ epoch, tidemark }, follower.table.locate(tags))

describe('adrift', () => {
  test('nothing is afloat, nothing may be stamped, promised or checkpointed before a link is held', () => {
    const follower = newFollower()
    expect(isAfloat(follower, 99, ['product:1'])).toBe(false)
    expect(follower.stamp()).toBeUndefined()
    expect(follower.token).toBeUndefined()
    expect(follower.snapshot()).toBeUndefined()
    expect(follower.lagMs(at(0))).toBe(Infinity)
  })

  test('proof offered while adrift is refused', () => {
    const follower = newFollower()
    expect(follower.prove(first, 0, at(0))).toBe(false)
    expect(follower.lagMs(at(0))).toBe(Infinity)
  })

  test.each([
    ['a step', (follower: Follower) => follower.apply(step(10, ['product:1']))],
    ['a heartbeat', (follower: Follower) => follower.hear(beat(10))],
    ['begin', (follower: Follower) => follower.begin(first, link(10))],
  ])('%s is where it begins: what was stamped before has sunk', (_, arrive) => {
    const follower = newFollower()
    expect(arrive(follower)).toBe('rebased')
    expect(follower.link).toEqual(link(10))
    expect(follower.stamp()).toEqual({ epoch: first, tidemark: 10 })
    expect(follower.token).toEqual({ term: 1, position: 10 })
    expect(isAfloat(follower, 9, ['brand:1'])).toBe(false)
    expect(isAfloat(follower, 10, ['brand:1'])).toBe(true)
  })

  test('numbers asked for before the history was known prove nothing in it', () => {
    const follower = newFollower()
    follower.ask({ generation: 7, count: 1, at: at(0) })
    follower.hear(beat(10, 1))
    follower.hear(beat(10, 1))
    expect(follower.lagMs(at(0))).toBe(Infinity)
  })
})

describe('following', () => {
  test('a step that continues the link is applied: values of its tags sink, others stay afloat', () => {
    const follower = followerAt(10)
    expect(follower.apply(step(11, ['product:1', 'product']))).toBe('applied')
    expect(follower.applied).toBe(11)
    expect(isAfloat(follower, 10, ['product:1'])).toBe(false)
    expect(isAfloat(follower, 10, ['product'])).toBe(false)
    expect(isAfloat(follower, 10, ['product:2', 'product'])).toBe(false)
    expect(isAfloat(follower, 10, ['product:2'])).toBe(true)
    expect(isAfloat(follower, 11, ['product:1', 'product'])).toBe(true)
  })

  test('a value loaded before the write and stored after it has sunk when the write is applied', () => {
    const follower = followerAt(10)
    const stamp = follower.stamp()!
    follower.apply(step(11, ['product:1']))
    expect(follower.isAfloat(stamp, follower.table.locate(['product:1']))).toBe(false)
  })

  test('a stamp is of the position applied when it is taken, and of no later one', () => {
    const follower = followerAt(10)
    const before = follower.stamp()
    expect(follower.stamp()).toBe(before)
    follower.apply(step(11, ['product:1']))
    expect(before).toEqual({ epoch: first, tidemark: 10 })
    expect(follower.stamp()).toEqual({ epoch: first, tidemark: 11 })
    follower.begin(second, link(12, second))
    expect(follower.stamp()).toEqual({ epoch: second, tidemark: 12 })
  })

  test('a value stamped ahead of this follower is afloat for it', () => {
    const follower = followerAt(10)
    expect(isAfloat(follower, 15, ['product:1'])).toBe(true)
  })

  test('a change to everything sinks every value stamped before it, whatever its tags', () => {
    const follower = followerAt(10)
    expect(follower.apply(step(11, ['*', 'product:1']))).toBe('applied')
    expect(isAfloat(follower, 10, [])).toBe(false)
    expect(isAfloat(follower, 10, ['brand:1'])).toBe(false)
    expect(isAfloat(follower, 11, ['product:1'])).toBe(true)
  })

  test('a value without tags is afloat until everything is touched', () => {
    const follower = followerAt(10)
    follower.apply(step(11, ['product:1']))
    expect(isAfloat(follower, 10, [])).toBe(true)
  })

  test('a step delivered twice, or late, is repeated and changes nothing', () => {
    const follower = followerAt(10)
    follower.apply(step(11, ['product:1']))
    follower.apply(step(12, ['product:2']))
    const { revision } = follower
    expect(follower.apply(step(12, ['product:2']))).toBe('repeated')
    expect(follower.apply(step(11, ['product:1']))).toBe('repeated')
    expect(follower.applied).toBe(12)
    expect(follower.revision).toBe(revision)
    expect(isAfloat(follower, 11, ['product:1'])).toBe(true)
  })

  test('a skipped step is a gap: everything stamped before what came after it has sunk', () => {
    const follower = followerAt(10)
    expect(follower.apply(step(12, ['product:1']))).toBe('rebased')
    expect(isAfloat(follower, 11, ['brand:1'])).toBe(false)
    expect(isAfloat(follower, 12, ['product:1'])).toBe(true)
    expect(follower.apply(step(13))).toBe('applied')
  })

  test('a skipped step is a gap even where two marks are equal by chance', () => {
    const follower = followerAt(10)
    expect(follower.apply({ ...step(12), previousMark: markOf(10) })).toBe('rebased')
    expect(isAfloat(follower, 11, ['brand:1'])).toBe(false)
  })

  test('the next position that names another predecessor is a gap', () => {
    const follower = followerAt(10)
    expect(follower.apply({ ...step(11), previousMark: 5 })).toBe('rebased')
    expect(isAfloat(follower, 10, ['brand:1'])).toBe(false)
  })

  test('its own position under another mark sinks also what was stamped at that position', () => {
    for (const arrive of [
      (follower: Follower) => follower.apply({ ...step(10, ['product:1']), mark: 5 }),
      (follower: Follower) => follower.hear({ ...beat(10), link: { position: 10, mark: 5 } }),
    ]) {
      const follower = followerAt(10)
      expect(arrive(follower)).toBe('rebased')
      expect(follower.link).toEqual({ position: 10, mark: 5 })
      expect(isAfloat(follower, 10, ['product:1'])).toBe(false)
      expect(follower.apply({ ...step(11), previousMark: 5 })).toBe('applied')
      expect(isAfloat(follower, 11, ['product:1'])).toBe(true)
    }
  })

  test('begin, said again to a follower that follows, sinks what a gap would and no more', () => {
    const follower = followerAt(10)
    expect(follower.begin(first, link(10))).toBe('repeated')
    expect(isAfloat(follower, 10, ['brand:1'])).toBe(true)
    expect(follower.begin(first, link(14))).toBe('rebased')
    expect(isAfloat(follower, 13, ['brand:1'])).toBe(false)
  })

  test('whatever may change a verdict changes the revision', () => {
    const follower = newFollower()
    const seen = new Set([follower.revision])
    for (const move of [
      () => follower.begin(first, link(10)),
      () => follower.apply(step(11)),
      () => follower.apply(step(13)),
      () => follower.hear(beat(15)),
      () => follower.apply({ ...step(15), mark: 5 }),
      () => follower.apply(step(9, [], second)),
    ]) {
      move()
      seen.add(follower.revision)
    }
    expect(seen.size).toBe(7)
    expect(Math.max(...seen)).toBe(follower.revision)
  })
})

describe('epochs', () => {
  test.each([
    ['a step', (follower: Follower) => follower.apply(step(40, ['product:1'], second))],
    ['a heartbeat', (follower: Follower) => follower.hear(beat(40, 99, second))],
  ])('%s of a higher term is adopted: the old history sinks, also where it stood higher', (_, arrive) => {
    const follower = followerAt(100)
    follower.apply(step(101, ['product:9']))
    expect(arrive(follower)).toBe('adopted')
    expect(follower.epoch).toEqual(second)
    expect(follower.applied).toBe(40)
    expect(isAfloat(follower, 101, ['brand:1'])).toBe(false)
    expect(isAfloat(follower, 39, ['brand:1'], second)).toBe(false)
    expect(isAfloat(follower, 40, ['product:9'], second)).toBe(true)
  })

  test('proof of lag, and every ask, ends with the history it was made in', () => {
    const follower = followerAt(100)
    follower.prove(first, 100, at(0))
    follower.ask({ generation: 7, count: 1, at: at(1) })
    follower.apply(step(40, [], second))
    follower.hear(beat(40, 99, second))
    expect(follower.provenAt).toBeUndefined()
  })

  test('a lower term, and another history of the same term, are ignored and prove nothing', () => {
    const follower = followerAt(10, second)
    follower.ask({ generation: 7, count: 1, at: at(0) })
    const twin = { term: 2, nonce: 23 }
    for (const epoch of [first, twin]) {
      expect(follower.apply(step(11, ['product:1'], epoch))).toBe('ignored')
      expect(follower.apply(step(500, ['*'], epoch))).toBe('ignored')
      expect(follower.hear(beat(10, 99, epoch))).toBe('ignored')
      expect(follower.prove(epoch, 10, at(0))).toBe(false)
      expect(isAfloat(follower, 10, ['product:1'], epoch)).toBe(false)
    }
    expect(follower.link).toEqual(link(10, second))
    expect(follower.provenAt).toBeUndefined()
  })
})

describe('heartbeats', () => {
  test('one at its own link, or below it, says nothing new and answers asks', () => {
    for (const position of [10, 8]) {
      const follower = followerAt(10)
      follower.ask({ generation: 7, count: 3, at: at(100) })
      expect(follower.hear(beat(position, 3))).toBe('repeated')
      expect(follower.lagMs(at(150))).toBe(50)
    }
  })

  test('one ahead of its link means that steps were missed: rebased, and then it is proof', () => {
    const follower = followerAt(10)
    follower.ask({ generation: 7, count: 3, at: at(100) })
    expect(follower.hear(beat(14, 3))).toBe('rebased')
    expect(isAfloat(follower, 13, ['brand:1'])).toBe(false)
    expect(follower.applied).toBe(14)
    expect(follower.lagMs(at(150))).toBe(50)
  })

  test('asks made void by a reconnect are answered by no heartbeat', () => {
    const follower = followerAt(10)
    follower.ask({ generation: 7, count: 3, at: at(100) })
    follower.voidAsks()
    follower.hear(beat(10, 99))
    expect(follower.provenAt).toBeUndefined()
  })

  test('a head that this follower has not applied is no proof', () => {
    const follower = followerAt(10)
    expect(follower.prove(first, 11, at(0))).toBe(false)
    expect(follower.provenAt).toBeUndefined()
    expect(follower.prove(first, 10, at(0))).toBe(true)
    expect(follower.provenAt).toEqual(at(0))
  })
})

describe('verdicts', () => {
  test('sunk before unproven, unproven past the bound, afloat within it', () => {
    const follower = followerAt(10)
    const places = follower.table.locate(['product:1'])
    const stamp = follower.stamp()!
    expect(follower.verdict(stamp, places, 2000, at(0))).toBe('unproven')
    follower.prove(first, 10, at(0))
    expect(follower.verdict(stamp, places, 2000, at(2000))).toBe('afloat')
    expect(follower.verdict(stamp, places, 2000, at(2001))).toBe('unproven')
    follower.apply(step(11, ['product:1']))
    expect(follower.verdict(stamp, places, 2000, at(0))).toBe('sunk')
    expect(follower.verdict(stamp, places, 2000, at(9999))).toBe('sunk')
  })
})

describe('checkpoints', () => {
  const checkpoint = () => {
    const follower = followerAt(10)
    follower.apply(step(11, ['product:1']))
    follower.prove(first, 11, at(0))
    return follower.snapshot()!
  }

  test('a follower goes on from one: floors, base and link are those of the one that wrote it', () => {
    const follower = newFollower(2)
    expect(follower.restore(checkpoint())).toBe(true)
    expect(follower.link).toEqual(link(11))
    expect(isAfloat(follower, 10, ['product:1'])).toBe(false)
    expect(isAfloat(follower, 10, ['product:2'])).toBe(true)
    expect(isAfloat(follower, 9, ['product:2'])).toBe(false)
    expect(follower.apply(step(12, ['product:2']))).toBe('applied')
  })

  test('it brings no proof of lag with it', () => {
    const follower = newFollower()
    follower.restore(checkpoint())
    expect(follower.lagMs(at(0))).toBe(Infinity)
  })

  test('the revision moves with it', () => {
    const follower = newFollower()
    const { revision } = follower
    follower.restore(checkpoint())
    expect(follower.revision).not.toBe(revision)
  })

  test('tags located before the restore are sunk, since the seed changed under them', () => {
    const follower = newFollower(2)
    const places = follower.table.locate(['product:2'])
    follower.restore(checkpoint())
    expect(follower.isAfloat({ epoch: first, tidemark: 11 }, places)).toBe(false)
  })

  test('a follower that follows refuses one: its own floors may be higher', () => {
    const follower = followerAt(20)
    expect(follower.restore(checkpoint())).toBe(false)
    expect(follower.applied).toBe(20)
    expect(isAfloat(follower, 19, ['product:2'])).toBe(false)
  })

  test('one whose base its link cannot explain is refused', () => {
    const good = checkpoint()
    const follower = newFollower()
    expect(follower.restore({ ...good, table: { ...good.table, base: 13 } })).toBe(false)
    expect(follower.epoch).toBeUndefined()
  })

  test('one written after two histories met at its link keeps what was stamped there sunk', () => {
    const writer = followerAt(10)
    writer.apply({ ...step(10), mark: 5 })
    const follower = newFollower()
    expect(follower.restore(writer.snapshot()!)).toBe(true)
    expect(isAfloat(follower, 10, ['product:1'])).toBe(false)
  })

  test('one of another layout is refused, and the follower stays adrift', () => {
    const follower = new Follower(new TideTable({ buckets: 32, seed: 1 }))
    expect(follower.restore(checkpoint())).toBe(false)
    expect(follower.epoch).toBeUndefined()
  })
})

/**
 * A world of one seed: a Postgres, a Redis and its past selves, flushes, readers, and an L2 that answers with any value
 * it ever held. Each tick one thing happens, and then somebody tries to serve.
 */
import type { FollowerSnapshot, Outcome } from '../../src/index.js'
import { Flush } from './flush.js'
import { judge } from './judge.js'
import { categories, Origin, products } from './origin.js'
import { Random } from './random.js'
import type { Value } from './reader.js'
import { Reader } from './reader.js'
import { Redis } from './redis.js'

const readerCount = 3
const heldLimit = 8
const flushLimit = 3
const tickMs = 15

export type Tally = Map<Outcome | 'sunk' | 'unproven' | 'afloat' | 'afloat in a later term', number>

const dependencies = [
  ...products.map((id) => [`product:${id}`, 'product!all']),
  ...categories.map((id) => [`product.categoryId=${id}`, 'product!all']),
  ['product', 'product!all'],
  ['product:0', 'product:3', 'product.categoryId=1', 'product!all'],
]

export function live(seed: number, ticks: number, tally: Tally): void {
  const random = new Random(seed)
  // Calm and stormy seeds: where everything breaks all the time, nothing is ever afloat and no law is put to the test.
  const storm = random.pick([0.1, 0.4, 1])
  const origin = new Origin(random)
  let redis = new Redis(random)
  const past: Redis[] = []
  const l2: Value[] = []
  const checkpoints: FollowerSnapshot[] = []
  let flushes: Flush[] = []
  let worldMs = 0
  let tick = 0
  const readers = Array.from({ length: readerCount }, () => new Reader(random, storm, redis, undefined))
  const count = (what: Parameters<Tally['set']>[0]) => tally.set(what, (tally.get(what) ?? 0) + 1)
  const anyReader = () => random.pick(readers)

  const restart = () => {
    const place = random.integer(0, readerCount - 1)
    const checkpoint = checkpoints.length > 0 && random.chance(0.7) ? random.pick(checkpoints) : undefined
    readers[place] = new Reader(random, storm, redis, checkpoint)
  }
  const replaceRedis = () => {
    if (past.length === 0) return
    redis = random.pick(past).copy()
  }
  const load = () => {
    const reader = anyReader()
    const value = reader.endLoad(origin, tick)
    if (value === undefined) return
    reader.hold(value)
    l2.push(value)
  }
  const refill = () => {
    const value = l2.length > 0 && random.chance(0.5) ? l2.at(-random.integer(1, 4)) : random.pick(l2)
    if (value !== undefined) anyReader().hold(value)
  }
  const checkpoint = () => {
    const snapshot = anyReader().follower.snapshot()
    if (snapshot !== undefined) checkpoints.push(snapshot)
  }

  const actions = [
    [random.pick([3, 10]), () => origin.commit(tick, worldMs)],
    [10, () => flushes.length < flushLimit && flushes.push(new Flush(redis))],
    [45, () => flushes.length > 0 && random.pick(flushes).advance(origin, redis, random, tick)],
    [60, () => anyReader().receive()],
    [24, () => anyReader().ask(worldMs)],
    [4, () => anyReader().poll(origin, worldMs, tick)],
    [14, () => anyReader().beginLoad(random.pick(dependencies))],
    [14, load],
    [10, refill],
    [2, checkpoint],
    [4, () => anyReader().connect(redis)],
    [2, () => past.push(redis.copy())],
    [storm, restart],
    [storm, () => anyReader().disturbClocks()],
    [storm, replaceRedis],
    [storm, () => redis.trim()],
    [storm / 3, () => redis.flush()],
    [storm / 2, () => redis.loseCounter()],
    [storm / 2, () => origin.trim()],
    [storm / 2, () => origin.lose(tick - random.integer(0, 40), tick)],
    [storm / 2, () => (flushes = [])],
  ] as const

  for (; tick < ticks; tick++) {
    worldMs += random.integer(0, tickMs)
    random.act(actions.map(([weight, act]) => [weight, () => void act()] as const))
    flushes = flushes.filter((flush) => !flush.isDone)
    const reader = anyReader()
    for (const held of reader.held) {
      const verdict = judge(reader, held, origin, worldMs)
      count(verdict)
      if (verdict === 'afloat' && held.value.stamp.epoch.term > 1) count('afloat in a later term')
    }
    reader.held.splice(0, Math.max(0, reader.held.length - heldLimit))
    for (const outcome of reader.outcomes.splice(0)) count(outcome)
  }
}

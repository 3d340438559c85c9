/** One reader process: a follower, its two clocks, its connection, its polls, asks and running loads. */
import type { Ask, FollowerSnapshot, Instant, Outcome, Stamp, TagPlaces } from '../../src/index.js'
import { Follower, isSameEpoch, TideTable } from '../../src/index.js'
import type { LogView, Origin } from './origin.js'
import type { Random } from './random.js'
import type { Item, Redis } from './redis.js'

export interface Value {
  readonly tags: readonly string[]
  readonly stamp: Stamp
  /** When it was read from the origin. */
  readonly tick: number
}

export interface Held {
  readonly value: Value
  readonly places: TagPlaces
  /** The revision at which it was last found afloat. */
  revision: number
}

interface Load {
  readonly tags: readonly string[]
  readonly stamp: Stamp
}

interface Poll {
  readonly at: Instant
  view: LogView | undefined
}

export class Reader {
  readonly follower: Follower
  readonly held: Held[] = []
  readonly outcomes: Outcome[] = []
  /** The world's own time of each of this reader's instants; never shown to the follower. */
  readonly trueMs = new WeakMap<Instant, number>()
  readonly #random: Random
  readonly #suspends: boolean
  /** How likely a message is lost, or read past. */
  readonly #loss: number
  #redis: Redis
  #place: number
  #received: Item[] = []
  #monoOffsetMs: number
  #wallOffsetMs: number
  #asking: Instant | undefined
  #poll: Poll | undefined
  #loads: Load[] = []

  constructor(random: Random, storm: number, redis: Redis, checkpoint: FollowerSnapshot | undefined) {
    this.#loss = 0.1 * storm
    this.#random = random
    this.#redis = redis
    this.#place = random.chance(0.5) ? 0 : redis.length - 1
    this.#suspends = random.chance(0.5)
    this.#monoOffsetMs = random.integer(0, 1e6)
    this.#wallOffsetMs = random.integer(0, 1e12)
    const buckets = checkpoint?.table.buckets ?? random.pick([1, 2, 4, 64])
    this.follower = new Follower(new TideTable({ buckets, seed: random.mark() }))
    if (checkpoint !== undefined) this.follower.restore(checkpoint)
  }

  now(worldMs: number): Instant {
    const now = { monoMs: worldMs + this.#monoOffsetMs, wallMs: worldMs + this.#wallOffsetMs }
    this.trueMs.set(now, worldMs)
    return now
  }

  /** A suspended machine stops its monotonic clock; another one has its wall clock set. Not both to the same machine. */
  disturbClocks(): void {
    if (this.#suspends) this.#monoOffsetMs -= this.#random.integer(1, 2000)
    else this.#wallOffsetMs += this.#random.integer(-5000, 5000)
  }

  /** The next entry of the stream, one received before, or one further on. */
  receive(): void {
    const isRepeat = this.#received.length > 0 && this.#random.chance(0.15)
    if (isRepeat) return this.#take(this.#random.pick(this.#received))
    const ahead = this.#random.chance(this.#loss) ? this.#random.integer(1, 3) : 0
    const found = this.#redis.read(this.#place + ahead)
    if (found === undefined) return
    this.#place = found.place + 1
    this.#received.push(found.item)
    if (!this.#random.chance(this.#loss)) this.#take(found.item)
  }

  connect(redis: Redis): void {
    if (redis === this.#redis) return
    this.#redis = redis
    this.#place = this.#random.chance(0.5) ? 0 : redis.length - 1
    this.#received = []
    this.#asking = undefined
    this.follower.voidAsks()
  }

  /** First the time, later the number. */
  ask(worldMs: number): void {
    if (this.#asking === undefined) {
      this.#asking = this.now(worldMs)
      return
    }
    const ask: Ask = {
      generation: this.#redis.generation,
      count: ++this.#redis.count,
      at: this.#asking,
    }
    this.follower.ask(ask)
    this.#asking = undefined
  }

  /** Follows the log from Postgres: first the time, later the sequence, later its rows. */
  poll(origin: Origin, worldMs: number, tick: number): void {
    const poll = (this.#poll ??= { at: this.now(worldMs), view: undefined })
    if (poll.view === undefined) {
      if (this.#random.chance(0.5) && origin.sequence(tick)) poll.view = origin.view()
      return
    }
    this.#poll = undefined
    for (const step of poll.view.rows)
      if (!this.#random.chance(this.#loss)) this.outcomes.push(this.follower.apply(step))
    this.follower.prove(poll.view.epoch, poll.view.head, poll.at)
  }

  beginLoad(tags: readonly string[]): void {
    const stamp = this.follower.stamp()
    if (stamp !== undefined) this.#loads.push({ tags, stamp })
  }

  /** The origin is read on a connection that has shown it is in the stamp's epoch; undefined: it is not. */
  endLoad(origin: Origin, tick: number): Value | undefined {
    const load = this.#loads.splice(this.#random.integer(0, this.#loads.length), 1)[0]
    if (load === undefined || origin.hasLost || !isSameEpoch(origin.epoch, load.stamp.epoch)) return undefined
    return { ...load, tick }
  }

  hold(value: Value): void {
    this.held.push({ value, places: this.follower.table.locate(value.tags), revision: -1 })
  }

  #take(item: Item): void {
    this.outcomes.push('step' in item ? this.follower.apply(item.step) : this.follower.hear(item.beat))
  }
}

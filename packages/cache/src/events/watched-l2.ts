import type { Entry } from '../entry.js'
import type { BreakerState } from '../l2/redis-node.js'
import type { L2Claim, L2Options, L2Read } from '../l2/l2.js'
import { L2 } from '../l2/l2.js'
import type { L2Call } from './cache-events.js'
import type { Events } from './events.js'
import { traced } from './traced.js'

export interface WatchedL2Options extends L2Options {
  readonly events: Events
  readonly monoMs: () => number
}

/** How much the latest call weighs in the mean. */
const weight = 1 / 16

/** Most calls that are answered by L2 are just this one, so only some of them are timed. */
const looksPerNote = 16

/** L2 with eyes on it: what its calls take, what goes wrong with them, and the breaker's turns. */
export class WatchedL2 extends L2 {
  /** What a call takes its caller, of late; 0 before the first. */
  meanCallMs = 0
  readonly #events: Events
  readonly #monoMs: () => number
  readonly #lastError: () => unknown
  #hasCalled = false
  #looks = 0
  #breakerSeen: BreakerState = 'closed'

  constructor(options: WatchedL2Options) {
    super(options)
    this.#events = options.events
    this.#monoMs = options.monoMs
    this.#lastError = () => options.redis.lastError
  }

  override look(
    key: string,
    expectedTags: readonly string[] | undefined,
    settle: (read: L2Read) => void,
  ): void {
    this.#looks++
    const isPlain = this.#breakerSeen === 'closed' && this.#looks % looksPerNote !== 0
    if (isPlain && !this.#events.l2.hasSubscribers) {
      super.look(key, expectedTags, settle)
      return
    }
    const look = (): Promise<L2Read> =>
      new Promise((resolve) => {
        super.look(key, expectedTags, resolve)
      })
    void this.#watch('read', key, look).then(settle)
  }

  override claim(key: string, owner: string, leaseMs: number, floor: number): Promise<L2Claim> {
    return this.#watch('claim', key, () => super.claim(key, owner, leaseMs, floor))
  }

  override store(
    key: string,
    entry: Entry,
    payload: Buffer,
    lifeMs: number,
    owner?: string,
  ): Promise<boolean> {
    return this.#watch('store', key, () => super.store(key, entry, payload, lifeMs, owner))
  }

  protected override undecodable(key?: string): undefined {
    this.#events.tell('undecodable', { key })
    return super.undecodable(key)
  }

  protected override troubled(call: L2Call, key: string): void {
    super.troubled(call, key)
    this.#events.tell('l2-trouble', { call, key, error: this.#lastError() })
    this.#seeBreaker()
  }

  async #watch<T>(call: L2Call, key: string, send: () => Promise<T>): Promise<T> {
    const startedAtMs = this.#monoMs()
    const { l2: traces, namespace } = this.#events
    const reply = traces.hasSubscribers
      ? await traced(traces, { namespace, call, key, startedAtMs }, this.#monoMs, send)
      : await send()
    this.#note(this.#monoMs() - startedAtMs)
    this.#seeBreaker()
    return reply
  }

  #seeBreaker(): void {
    const { breaker } = this
    if (breaker === this.#breakerSeen) return
    this.#events.tell('breaker', { from: this.#breakerSeen, to: breaker })
    this.#breakerSeen = breaker
  }

  #note(tookMs: number): void {
    this.meanCallMs = this.#hasCalled ? this.meanCallMs + (tookMs - this.meanCallMs) * weight : tookMs
    this.#hasCalled = true
  }
}

import type { Follower, Stamp, Token } from '@tidemark/tide'

import type { Answer } from './answer.js'
import { answerOf } from './answer.js'
import { CacheError } from './cache-error.js'
import { coverOf } from './cover.js'
import { durationMs } from './duration.js'
import type { Entry } from './entry.js'
import type { Explanation } from './explain.js'
import { explainTier } from './explain.js'
import type { Found } from './found.js'
import type { Freshness } from './freshness.js'
import type { Holdings } from './holdings.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
import { hasReached, isLost, knownCover, plainFooting } from './levels.js'
import { batchOrigin } from './load/batch-origin.js'
import type { OriginParts } from './load/origin.js'
import { singleOrigin } from './load/single-origin.js'
import type { Invalidate } from './options.js'
import { bad } from './options.js'
import type { Policy, PolicyOptions } from './policy.js'
import { policyOf } from './policy.js'
import type { Question, ReadThrough } from './read-through.js'
import type { ReadManyRequest, ReadRequest } from './request.js'
import type { CacheStats, Counters } from './stats.js'
import type { TickClock } from './tick-clock.js'
import type { Tide } from './tide.js'

/** How `set` is told what it stores. */
export interface SetOptions extends PolicyOptions {
  /** Taken with `cache.stamp()` before the value was read from the origin. */
  readonly stamp: Stamp | undefined
  readonly tags?: readonly string[]
  readonly policy?: Policy
}

/** Answers of one `readMany`, and the one token that covers them all. */
export interface ManyAnswers<T> {
  readonly answers: ReadonlyMap<string, Answer<T>>
  readonly token: Token | undefined
  readonly historyLost: boolean
}

export interface CacheParts {
  readonly tide: Tide
  readonly policy: Policy
  readonly clock: TickClock
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly freshness: Freshness
  readonly holdings: Holdings
  readonly readThrough: ReadThrough
  readonly origin: OriginParts
  readonly counters: Counters
  readonly invalidate: Invalidate | undefined
  readonly maxKeys: number
}

const noTags: readonly string[] = []

/** One namespace. Values are shared with every caller that hits them: treat them as immutable. */
export class Cache {
  readonly #parts: CacheParts
  readonly #follower: Follower
  readonly #policy: Policy
  readonly #clock: TickClock
  readonly #l1: L1
  readonly #freshness: Freshness
  readonly #counters: Counters

  constructor(parts: CacheParts) {
    this.#parts = parts
    this.#follower = parts.tide.follower
    this.#policy = parts.policy
    this.#clock = parts.clock
    this.#l1 = parts.l1
    this.#freshness = parts.freshness
    this.#counters = parts.counters
  }

  /**
   * The value of `key`: from L1 at once, as it is and without a promise; else from L2, from a load that is under way, or
   * from `load`. Undefined only where `load` gave that.
   *
   * @example const product = await cache.getOrSet({ key: id, tags: [`product:${id}`], load: () => find(id) })
   * @throws what `load` throws; CacheError 'cache.load-timeout', 'cache.overloaded', 'cache.token-unknown',
   *   'cache.unavailable', 'cache.bad-option', 'cache.closed'
   */
  getOrSet<T>(request: ReadRequest<T>): T | Promise<T | undefined> {
    const entry = this.#l1.get(request.key) as Entry<T> | undefined
    if (entry !== undefined && this.#isHit(entry, request)) {
      this.#counters.hitsL1++
      return entry.value
    }
    return this.#findValue(request)
  }

  /** As `getOrSet`, with the story of the answer and a token that covers it. */
  read<T>(request: ReadRequest<T>): Answer<T> | Promise<Answer<T>> {
    const entry = this.#l1.get(request.key) as Entry<T> | undefined
    if (entry !== undefined && this.#isHit(entry, request)) {
      this.#counters.hitsL1++
      const found = this.#foundInL1(entry, request.token)
      const token = this.tokenFor(entry)
      return token === undefined && this.#needsCover(request)
        ? this.#answer(found, request)
        : answerOf(found, token, this.#clock.read(), request.token)
    }
    return this.#findAnswer(request)
  }

  /**
   * As `getOrSet` for many keys: one read of L2, one load for those that are missing, each key stamped, shared and
   * fenced on its own. A map in the order of `keys`, without those for which the load gave nothing; no promise where L1
   * holds them all.
   */
  getOrSetMany<T>(request: ReadManyRequest<T>): Map<string, T> | Promise<Map<string, T>> {
    const values = new Map<string, T>()
    for (const key of request.keys) {
      const entry = this.#l1.get(key) as Entry<T> | undefined
      if (entry === undefined || !this.#isHit(entry, request)) return this.#getOrSetMany(request)
      values.set(key, entry.value)
    }
    this.#counters.hitsL1 += values.size
    return values
  }

  async readMany<T>(request: ReadManyRequest<T>): Promise<ManyAnswers<T>> {
    const found = await this.#findMany(request)
    const fresh = [...found.values()].filter(({ from }) => from !== 'stale')
    const token = await this.#cover(fresh, request)
    const now = this.#clock.fresh()
    const answers = new Map<string, Answer<T>>()
    for (const [key, each] of found) answers.set(key, answerOf(each, token, now, request.token))
    return { answers, token, historyLost: [...answers.values()].some(({ historyLost }) => historyLost) }
  }

  /**
   * For the hit path of a server: the entry of `key` if it may be served at `bounded` now, by a fresh reading of the
   * clock. Nothing is made, nothing is waited for. Undefined says only: ask `read`.
   */
  hit<T>(key: string): Entry<T> | undefined {
    const entry = this.#l1.get(key) as Entry<T> | undefined
    if (entry?.policy.level !== 'bounded') return undefined
    if (!this.#freshness.isServable(entry, this.#clock.fresh(), entry.policy.maxLagMs)) return undefined
    this.#counters.hitsL1++
    return entry
  }

  /** The token for an answer that shows `entry`; see `Answer.token`. Nothing is waited for. */
  tokenFor(entry: Entry): Token | undefined {
    return knownCover(this.#follower, entry)
  }

  /** What L1 would serve at `bounded` now; does not count, neither as a hit nor as a use. */
  peek<T>(key: string): T | undefined {
    const entry = this.#l1.peek(key) as Entry<T> | undefined
    if (entry === undefined || !this.#freshness.isServable(entry, this.#clock.fresh(), entry.policy.maxLagMs))
      return undefined
    return entry.value
  }

  /** The stamp for a value that is about to be read from the origin: take it *before*. Undefined while adrift. */
  stamp(): Stamp | undefined {
    return this.#follower.stamp()
  }

  /** Stores a value that was not loaded by this cache. False: not stored, since there is no stamp or no value. */
  set(key: string, value: unknown, { stamp, tags = noTags, ...options }: SetOptions): boolean {
    if (stamp === undefined || value === undefined) return false
    const policy = policyOf(options, this.#policy)
    const standing = options.policy ?? this.#policy
    this.#parts.holdings.keep({ key, value, stamp, tags, policy, standing, loadCostMs: 0 })
    return true
  }

  /**
   * Announces that what carries `tags` has changed. What is held sinks when the log says so, here as everywhere: to read
   * your own, send the token that comes back.
   *
   * @throws CacheError 'cache.no-invalidation' on a cache made without that port
   */
  async invalidate(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    if (this.#parts.invalidate === undefined)
      throw new CacheError('cache.no-invalidation', 'this cache was made without the port `invalidate`')
    return await this.#parts.invalidate(tags, reason)
  }

  async explain(key: string, policy: Policy = this.#policy): Promise<Explanation> {
    const { l2, readThrough } = this.#parts
    const read = await l2?.read(key)
    const now = this.#clock.fresh()
    const follower = this.#follower
    const entry = this.#l1.peek(key)
    return {
      key,
      follower: {
        stamp: follower.stamp(),
        base: follower.table.base,
        lagMs: follower.lagMs(now),
        maxLagMs: policy.maxLagMs,
      },
      l1: entry && explainTier(entry, follower, policy, now),
      l2: read?.kind === 'found' ? explainTier(read.envelope, follower, policy, now) : (read?.kind ?? 'none'),
      isLoading: readThrough.isLoading(key),
    }
  }

  stats(): CacheStats {
    const { l1, l2, origin } = this.#parts
    return {
      ...this.#counters,
      breaker: l2?.breaker ?? 'none',
      l1Entries: l1.entries,
      l1Bytes: l1.sizeBytes,
      loading: origin.gate.loading,
      queued: origin.gate.queued,
    }
  }

  /** Forgets what is in memory and refuses what comes; loads under way end as they will. The Redis client is its owner's. */
  close(): void {
    this.#parts.readThrough.close()
    this.#l1.clear()
  }

  #isHit(entry: Entry, request: Pick<ReadRequest<never>, 'policy' | 'level' | 'maxLag' | 'token'>): boolean {
    if (!this.#freshness.isAfloat(entry)) return false
    const policy = request.policy ?? this.#policy
    if ((request.level ?? policy.level) === 'strict') return false
    const now = this.#clock.read()
    if (now.wallMs >= entry.expiresAtMs) return false
    const maxLagMs = request.maxLag === undefined ? policy.maxLagMs : durationMs(request.maxLag, 'maxLag')
    if (this.#follower.lagMs(now) > maxLagMs) return false
    return request.token === undefined || hasReached(this.#follower, request.token)
  }

  async #findValue<T>(request: ReadRequest<T>): Promise<T | undefined> {
    return (await this.#find(request)).entry.value
  }

  async #findAnswer<T>(request: ReadRequest<T>): Promise<Answer<T>> {
    return this.#answer(await this.#find(request), request)
  }

  #find<T>(request: ReadRequest<T>): Promise<Found<T>> {
    const { readThrough, origin } = this.#parts
    const { key, tags, token } = request
    const policy = policyOf(request, this.#policy)
    const isRevealed = typeof tags === 'function'
    const question: Question<T> = {
      key,
      policy,
      standing: request.policy ?? this.#policy,
      tags: isRevealed ? noTags : (tags ?? noTags),
      reveal: isRevealed ? tags : undefined,
      origin: singleOrigin(origin, request.load),
    }
    const footing = readThrough.footing(policy, token)
    return footing instanceof Promise
      ? footing.then((found) => readThrough.find(question, found, token))
      : readThrough.find(question, footing, token)
  }

  async #findMany<T>(request: ReadManyRequest<T>): Promise<Map<string, Found<T>>> {
    const { readThrough, origin, maxKeys } = this.#parts
    const { tags, revealedTags, token, load } = request
    const keys = [...new Set(request.keys)]
    if (keys.length > maxKeys) throw bad(`keys: ${keys.length} given, at most ${maxKeys} are allowed`)
    const policy = policyOf(request, this.#policy)
    const standing = request.policy ?? this.#policy
    const shared = batchOrigin(origin, load, maxKeys)
    const footing = await readThrough.footing(policy, token)
    const found = await Promise.all(
      keys.map(async (key) => {
        const entry = this.#l1.get(key) as Entry<T> | undefined
        if (entry !== undefined && this.#isHit(entry, request)) {
          this.#counters.hitsL1++
          return this.#foundInL1(entry, token)
        }
        const reveal = revealedTags && ((value: T) => revealedTags(value, key))
        const needed = tags?.(key) ?? noTags
        const question: Question<T> = { key, policy, standing, tags: needed, reveal, origin: shared }
        return await readThrough.find(question, footing, token)
      }),
    )
    return new Map(keys.map((key, i) => [key, found[i]!]))
  }

  async #getOrSetMany<T>(request: ReadManyRequest<T>): Promise<Map<string, T>> {
    const values = new Map<string, T>()
    for (const [key, { entry }] of await this.#findMany(request))
      if (entry.value !== undefined) values.set(key, entry.value)
    return values
  }

  #foundInL1<T>(entry: Entry<T>, token: Token | undefined): Found<T> {
    const footing = isLost(this.#follower, token) ? { ...plainFooting, historyLost: true } : plainFooting
    return { entry, from: 'l1', shared: false, footing }
  }

  #needsCover(request: Pick<ReadRequest<never>, 'policy' | 'level' | 'token'>): boolean {
    return (
      request.token !== undefined || (request.level ?? (request.policy ?? this.#policy).level) !== 'bounded'
    )
  }

  async #answer<T>(found: Found<T>, request: ReadRequest<T>): Promise<Answer<T>> {
    const token = found.from === 'stale' ? undefined : await this.#cover([found], request)
    return answerOf(found, token, this.#clock.fresh(), request.token)
  }

  #cover(
    shown: readonly Found<unknown>[],
    request: PolicyOptions & { readonly policy?: Policy; readonly token?: Token },
  ): Promise<Token | undefined> {
    const { tokenTimeoutMs } = policyOf(request, this.#policy)
    return coverOf(this.#parts.tide, shown, {
      isPromised: this.#needsCover(request),
      timeoutMs: tokenTimeoutMs,
    })
  }
}

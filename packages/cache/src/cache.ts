import type { Follower, Stamp, Token } from '@tidemark/tide'

import type { Advice } from './advice/advice.js'
import type { Answer } from './answer.js'
import { answerOf } from './answer.js'
import type { Changes, PutOptions, SetOptions } from './changes.js'
import { coverOf } from './cover.js'
import type { Entry } from './entry.js'
import type { Explainer } from './explain.js'
import type { Explanation } from './explanation.js'
import type { Finder } from './finder.js'
import type { Found } from './found.js'
import type { Hits } from './hits.js'
import { knownCover } from './levels.js'
import type { Listing, ListOptions } from './listing.js'
import type { LoaderOptions } from './loader.js'
import { Loader } from './loader.js'
import type { Policy, PolicyOptions } from './policy.js'
import { policyOf } from './policy.js'
import type { FreshnessOptions, ReadManyRequest, ReadRequest } from './request.js'
import type { CacheStats } from './stats.js'
import type { TickClock } from './tick-clock.js'
import type { Tide } from './tide.js'

/** Answers of one `readMany`, and the one token that covers them all. */
export interface ManyAnswers<T> {
  readonly answers: ReadonlyMap<string, Answer<T>>
  readonly token: Token | undefined
  readonly historyLost: boolean
}

export interface CacheParts {
  readonly namespace: string
  readonly tide: Tide
  readonly policy: Policy
  readonly clock: TickClock
  readonly hits: Hits
  readonly finder: Finder
  readonly changes: Changes
  readonly explainer: Explainer
  readonly listing: Listing
  readonly started: Promise<void>
  readonly stats: () => CacheStats
  readonly advise: () => Advice
  readonly close: () => Promise<void>
}

/** One namespace. Values are shared with every caller that hits them: treat them as immutable. */
export class Cache {
  readonly namespace: string
  readonly #parts: CacheParts
  readonly #follower: Follower
  readonly #hits: Hits
  readonly #finder: Finder

  constructor(parts: CacheParts) {
    this.namespace = parts.namespace
    this.#parts = parts
    this.#follower = parts.tide.follower
    this.#hits = parts.hits
    this.#finder = parts.finder
  }

  /** Resolves when the log is followed, or cannot be for now: calls work before that too, from their loaders. */
  ready(): Promise<void> {
    return this.#parts.started
  }

  /**
   * The value of `key`: from L1 at once, as it is and without a promise; else from L2, from a load that is under way, or
   * from `load`. Undefined only where `load` gave that.
   *
   * @example const product = await cache.getOrSet({ key: id, tags: [`product:${id}`], load: () => find(id) })
   * @throws what `load` throws; CacheError 'cache.load-failed', 'cache.load-timeout', 'cache.overloaded',
   *   'cache.token-unknown', 'cache.unavailable', 'cache.bad-option', 'cache.closed'
   */
  getOrSet<T>(request: ReadRequest<T>): T | Promise<T | undefined> {
    const entry = this.#hits.find<T>(request.key, request)
    if (entry === undefined) return this.#finder.find(request).then(valueOf)
    if (this.#hits.isNearEnd) this.#finder.drawRefresh(entry, request)
    return entry.value
  }

  /** As `getOrSet`, with the story of the answer and a token that covers it. */
  read<T>(request: ReadRequest<T>): Answer<T> | Promise<Answer<T>> {
    const entry = this.#hits.find<T>(request.key, request)
    if (entry === undefined) return this.#finder.find(request).then((found) => this.#answer(found, request))
    if (this.#hits.isNearEnd) this.#finder.drawRefresh(entry, request)
    const found = this.#finder.inL1<T>(entry, request.token) as Found<T>
    const token = this.tokenFor(entry)
    return token === undefined && this.#needsCover(request)
      ? this.#answer(found, request)
      : answerOf(found, token, this.#parts.clock.read(), request.token)
  }

  /** What L1 or L2 may serve of `key` now, without loading; undefined: nothing. */
  get<T>(key: string, options?: FreshnessOptions): T | undefined | Promise<T | undefined> {
    const entry = options === undefined ? this.#hits.findUnder<T>(key) : this.#hits.find<T>(key, options)
    return entry === undefined
      ? this.#finder.look<T>(key, options ?? {}).then((found) => found?.entry.value)
      : entry.value
  }

  /** Whether `get` would give a value now; `null` is one. */
  has(key: string, options: FreshnessOptions = {}): boolean | Promise<boolean> {
    const entry = this.#hits.find(key, options)
    return entry === undefined ? this.#finder.look(key, options).then((found) => found !== undefined) : true
  }

  /** As `get` for many keys, in one read of L2; a map in the order of `keys`, without those that nothing is held of. */
  async getMany<T>(keys: readonly string[], options: FreshnessOptions = {}): Promise<Map<string, T>> {
    const each = this.#finder.keysOf(keys)
    const found = await Promise.all(each.map((key) => this.get<T>(key, options)))
    const values = new Map<string, T>()
    for (const [i, key] of each.entries()) if (found[i] !== undefined) values.set(key, found[i])
    return values
  }

  /**
   * As `getOrSet` for many keys: one read of L2, one load for those that are missing, each key stamped, shared and
   * fenced on its own. A map in the order of `keys`, without those for which the load gave nothing; no promise where L1
   * holds them all.
   */
  getOrSetMany<T>(request: ReadManyRequest<T>): Map<string, T> | Promise<Map<string, T>> {
    const values = new Map<string, T>()
    for (const key of request.keys) {
      const entry = this.#hits.find<T>(key, request)
      if (entry === undefined) return this.#getOrSetMany(request)
      values.set(key, entry.value)
    }
    return values
  }

  async readMany<T>(request: ReadManyRequest<T>): Promise<ManyAnswers<T>> {
    const found = await this.#finder.findMany(request)
    const fresh = [...found.values()].filter(({ from }) => from !== 'stale')
    const token = await this.#cover(fresh, request)
    const now = this.#parts.clock.fresh()
    const answers = new Map<string, Answer<T>>()
    for (const [key, each] of found) answers.set(key, answerOf(each, token, now, request.token))
    return { answers, token, historyLost: [...answers.values()].some(({ historyLost }) => historyLost) }
  }

  /**
   * For the hit path of a server: the entry of `key` if it may be served at `bounded` now, by a fresh reading of the
   * clock. Nothing is made, nothing is waited for. Undefined says only: ask `read`.
   */
  hit<T>(key: string): Entry<T> | undefined {
    return this.#hits.findPlain(key)
  }

  /** The token for an answer that shows `entry`; see `Answer.token`. Nothing is waited for. */
  tokenFor(entry: Pick<Entry, 'seenAtMs' | 'cover'>): Token | undefined {
    return knownCover(this.#follower, entry)
  }

  /** What L1 would serve at `bounded` now; does not count, neither as a hit nor as a use. */
  peek<T>(key: string): T | undefined {
    return this.#hits.peek<T>(key)?.value
  }

  /**
   * Says once how a kind of value is loaded, and gives the way to ask for it by id.
   *
   * @example const products = cache.defineLoader('product', { tags: (id) => [`product:${id}`], load: (id) => find(id) })
   *   const product = await products.get('42')
   */
  defineLoader<T, Id extends string | number = string>(
    name: string,
    options: LoaderOptions<T, Id>,
  ): Loader<T, Id> {
    const { hits, finder, policy } = this.#parts
    return new Loader({ cache: this, hits, finder, policy }, name, options)
  }

  /** The stamp for a value that is about to be read from the origin: take it *before*. Undefined while adrift. */
  stamp(): Stamp | undefined {
    return this.#follower.stamp()
  }

  /** Stores a value that was not loaded by this cache. False: not stored, since there is no stamp or no value. */
  set(key: string, value: unknown, options: SetOptions): boolean {
    return this.#parts.changes.set(key, value, options)
  }

  /**
   * For values that have no other origin than this call: announces that `key` has changed, which sinks what anybody holds of
   * it, and stores `value` at that position. Of two puts the one that is later in the log stays, everywhere.
   *
   * @throws CacheError 'cache.no-invalidation', 'cache.bad-option'; what the log throws where it cannot be reached
   */
  put(key: string, value: unknown, options: PutOptions = {}): Promise<Token | undefined> {
    return this.#parts.changes.put(key, value, options)
  }

  /** Sinks what anybody holds of `key`. @throws as `invalidate` does */
  delete(key: string): Promise<Token | undefined> {
    return this.#parts.changes.delete(key)
  }

  /** As `delete`, for many keys: one change for each hundred. @throws as `invalidate` does */
  deleteMany(keys: readonly string[]): Promise<Token | undefined> {
    return this.#parts.changes.deleteMany(keys)
  }

  /** Sinks everything in this namespace, everywhere: one change, whatever it holds. @throws as `invalidate` does */
  clear(): Promise<Token | undefined> {
    return this.#parts.changes.clear()
  }

  /**
   * Announces that what carries `tags` has changed. When it resolves it is in the log, and most often applied here; to make
   * another process read it, send that one the token.
   *
   * @throws CacheError 'cache.no-invalidation' where the log followed takes none; what the log throws
   */
  invalidate(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    return this.#parts.changes.invalidate(tags, reason)
  }

  /**
   * The keys that could be served now, of all processes; without Redis, of this one. Redis is walked through as with SCAN: a
   * key may come twice, and one that is stored meanwhile may be left out, as is one that UTF-8
   * cannot spell. For people and for adapters, not for request paths.
   *
   * @throws CacheError 'cache.unavailable' where Redis or the log does not answer; 'cache.bad-option' where names are hashed
   */
  keys(options: ListOptions = {}): AsyncGenerator<string, void> {
    return this.#parts.listing.keys(options)
  }

  /** As `keys`, with the values. */
  entries<T>(options: ListOptions = {}): AsyncGenerator<[key: string, value: T], void> {
    return this.#parts.listing.entries<T>(options)
  }

  /** Why `key` is served as it is, or is not. Asks Redis; for people, not for request paths. */
  explain(key: string, policy: Policy = this.#parts.policy): Promise<Explanation> {
    return this.#parts.explainer.explain(key, policy)
  }

  /** What caching saves and costs here, kind by kind, and what would make it better, in words. Goes through all of L1. */
  advise(): Advice {
    return this.#parts.advise()
  }

  stats(): CacheStats {
    return this.#parts.stats()
  }

  /**
   * Forgets what is in memory and refuses what comes; loads under way end as they will. A log that this cache made ends with
   * it; one that it was given, and the Redis client, are their owner's.
   */
  close(): Promise<void> {
    return this.#parts.close()
  }

  async #getOrSetMany<T>(request: ReadManyRequest<T>): Promise<Map<string, T>> {
    const values = new Map<string, T>()
    for (const [key, { entry }] of await this.#finder.findMany(request))
      if (entry.value !== undefined) values.set(key, entry.value)
    return values
  }

  #needsCover(request: FreshnessOptions): boolean {
    const { level } = request.policy ?? this.#parts.policy
    return request.token !== undefined || (request.level ?? level) !== 'bounded'
  }

  async #answer<T>(found: Found<T>, request: ReadRequest<T>): Promise<Answer<T>> {
    const token = found.from === 'stale' ? undefined : await this.#cover([found], request)
    return answerOf(found, token, this.#parts.clock.fresh(), request.token)
  }

  #cover(
    shown: readonly Found<unknown>[],
    request: PolicyOptions & { readonly policy?: Policy; readonly token?: Token },
  ): Promise<Token | undefined> {
    const { tokenTimeoutMs } = policyOf(request, this.#parts.policy)
    return coverOf(this.#parts.tide, shown, {
      isPromised: this.#needsCover(request),
      timeoutMs: tokenTimeoutMs,
    })
  }
}

const valueOf = <T>({ entry }: Found<T>): T | undefined => entry.value

import type { Token } from '@tidemark/tide'

import { isEarly } from './early-refresh.js'
import type { Entry } from './entry.js'
import type { Found } from './found.js'
import type { Hits } from './hits.js'
import { isLost, plainFooting } from './levels.js'
import type { Question } from './load/ask.js'
import { batchOrigin } from './load/batch-origin.js'
import type { Origin, OriginParts } from './load/origin.js'
import { singleOrigin } from './load/single-origin.js'
import { bad } from './options.js'
import type { Policy } from './policy.js'
import { policyOf } from './policy.js'
import type { ReadThrough } from './read-through.js'
import type { FreshnessOptions, ReadManyRequest, ReadRequest } from './request.js'
import type { TickClock } from './tick-clock.js'
import type { Tide } from './tide.js'

export interface FinderParts {
  readonly tide: Tide
  readonly policy: Policy
  readonly clock: TickClock
  readonly random: () => number
  readonly hits: Hits
  readonly readThrough: ReadThrough
  readonly origin: OriginParts
  readonly maxKeys: number
}

const noTags: readonly string[] = []

/** `get` has no loader: what is not held is not resolved. */
const noOrigin: Origin<never> = { load: () => Promise.resolve(undefined) }

/** Makes questions of requests, and asks them. */
export class Finder {
  readonly #parts: FinderParts

  constructor(parts: FinderParts) {
    this.#parts = parts
  }

  find<T>(request: ReadRequest<T>): Promise<Found<T>> {
    const { readThrough, policy: standing } = this.#parts
    const policy = policyOf(request, standing)
    const question = this.#question(request, policy)
    const footing = readThrough.footing(policy, request.token)
    return footing instanceof Promise
      ? footing.then((found) => readThrough.find(question, found, request.token))
      : readThrough.find(question, footing, request.token)
  }

  /** From the tiers alone. */
  async look<T>(key: string, request: FreshnessOptions): Promise<Found<T> | undefined> {
    const { readThrough, policy: standing } = this.#parts
    const policy = policyOf(request, standing)
    const footing = await readThrough.footing(policy, request.token)
    return readThrough.look<T>(
      {
        key,
        policy,
        standing: request.policy ?? standing,
        tags: noTags,
        reveal: undefined,
        origin: noOrigin,
      },
      footing,
    )
  }

  /** `entry` was hit near its end: draws whether the next load begins behind it. */
  drawRefresh<T>({ expiresAtMs, loadCostMs }: Entry<T>, request: ReadRequest<T>): void {
    const { readThrough, clock, random, policy: standing } = this.#parts
    const policy = policyOf(request, standing)
    if (isEarly(expiresAtMs - clock.read().wallMs, loadCostMs, policy.beta, random))
      readThrough.refresh(this.#question(request, policy))
  }

  async findMany<T>(request: ReadManyRequest<T>): Promise<Map<string, Found<T>>> {
    const { hits, readThrough, origin, policy: byDefault } = this.#parts
    const { tags, revealedTags, token, load } = request
    const keys = this.keysOf(request.keys)
    const policy = policyOf(request, byDefault)
    const standing = request.policy ?? byDefault
    const shared = batchOrigin(origin, load, this.#parts.maxKeys)
    const footing = await readThrough.footing(policy, token)
    const found = await Promise.all(
      keys.map(async (key) => {
        const entry = hits.find<T>(key, request)
        if (entry !== undefined) return this.inL1(entry, token)
        const reveal = revealedTags && ((value: T) => revealedTags(value, key))
        const needed = tags?.(key) ?? noTags
        const question: Question<T> = { key, policy, standing, tags: needed, reveal, origin: shared }
        return await readThrough.find(question, footing, token)
      }),
    )
    return new Map(keys.map((key, i) => [key, found[i]!]))
  }

  /** Each once. @throws CacheError 'cache.bad-option' where there are too many */
  keysOf(given: readonly string[]): string[] {
    const keys = [...new Set(given)]
    const { maxKeys } = this.#parts
    if (keys.length > maxKeys) throw bad(`keys: ${keys.length} given, at most ${maxKeys} are allowed`)
    return keys
  }

  inL1<T>(entry: Found<T>['entry'], token: Token | undefined): Found<T> {
    const isOfAnother = isLost(this.#parts.tide.follower, token)
    const footing = isOfAnother ? { ...plainFooting, historyLost: true } : plainFooting
    return { entry, from: 'l1', shared: false, footing }
  }

  #question<T>(request: ReadRequest<T>, policy: Policy): Question<T> {
    const { tags, revealedTags, key, load } = request
    const isRevealed = typeof tags === 'function'
    return {
      key,
      policy,
      standing: request.policy ?? this.#parts.policy,
      tags: isRevealed ? noTags : (tags ?? noTags),
      reveal: isRevealed ? tags : revealedTags,
      origin: singleOrigin(this.#parts.origin, load),
    }
  }
}

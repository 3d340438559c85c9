import type { Stamp, Token } from '@tidemark/tide'

import { CacheError } from './cache-error.js'
import type { Events } from './events/events.js'
import type { Holdings } from './holdings.js'
import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
import { hasReached } from './levels.js'
import { noDirections } from './load/directions.js'
import type { Invalidate } from './options.js'
import { bad } from './options.js'
import type { Policy, PolicyOptions } from './policy.js'
import { policyOf } from './policy.js'
import type { Tide } from './tide.js'

/** How `put` is told what it stores. */
export interface PutOptions extends PolicyOptions {
  readonly tags?: readonly string[]
  readonly policy?: Policy
}

/** How `set` is told what it stores. */
export interface SetOptions extends PutOptions {
  /** Taken with `cache.stamp()` before the value was read from the origin. */
  readonly stamp: Stamp | undefined
}

export interface ChangesParts {
  readonly tide: Tide
  readonly implicit: ImplicitTags
  readonly policy: Policy
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly holdings: Holdings
  readonly invalidate: Invalidate | undefined
  readonly events: Events
}

/** A change that touches more tags than this would be told in a shorter way, that sinks more. */
const maxKeysPerChange = 100

const noTags: readonly string[] = []

/** What callers store and announce. Each announcement is one change in the log, whatever is held and by whom. */
export class Changes {
  readonly #parts: ChangesParts

  constructor(parts: ChangesParts) {
    this.#parts = parts
  }

  set(key: string, value: unknown, { stamp, ...options }: SetOptions): boolean {
    if (stamp === undefined || value === undefined) return false
    this.#keep(key, value, stamp, options)
    return true
  }

  /**
   * The change gets its position first, and the value is stamped with that very one: of two puts the later in the log
   * stays, for every process, and whatever was held before sinks.
   */
  async put(key: string, value: unknown, options: PutOptions): Promise<Token | undefined> {
    const { tide, implicit, events } = this.#parts
    if (value === undefined) throw bad('value: undefined is no value; null is')
    const tags = [implicit.key(key)]
    const token = await this.#reached(tags, 'put')
    events.tell('put', { key, tags, token })
    if (token === undefined) return undefined
    const { follower } = tide
    const { epoch } = follower
    // Else a new history has begun meanwhile, or this process has fallen behind: nothing is held then, which is no lie.
    if (epoch?.term === token.term && hasReached(follower, token))
      await this.#keep(key, value, { epoch, tidemark: token.position }, options)
    return token
  }

  delete(key: string): Promise<Token | undefined> {
    return this.deleteMany([key])
  }

  /** The keys' memory in Redis is given back behind the answer: they have sunk already, whatever becomes of that. */
  async deleteMany(keys: readonly string[]): Promise<Token | undefined> {
    const { implicit, l1, l2, events } = this.#parts
    let token: Token | undefined
    for (let from = 0; from < keys.length; from += maxKeysPerChange) {
      const part = keys.slice(from, from + maxKeysPerChange)
      const tags = part.map((key) => implicit.key(key))
      token = await this.#reached(tags, 'delete')
      for (const key of part) {
        l1.delete(key)
        // What was stored at this position or after it was stored by somebody who knew.
        if (token !== undefined) l2?.remove(key, token.term, token.position - 1)
        events.tell('delete', { key, tags: [implicit.key(key)], token })
      }
    }
    return token
  }

  async clear(): Promise<Token | undefined> {
    const { implicit, events } = this.#parts
    const tags = [implicit.namespace]
    const token = await this.#reached(tags, 'clear')
    events.tell('clear', { tags, token })
    return token
  }

  /** Resolves when this process, too, has applied it, or could not in time: whoever calls then reads what it wrote. */
  async invalidate(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    const token = await this.#reached(tags, reason)
    this.#parts.events.tell('invalidate', { tags, token, reason })
    return token
  }

  async #reached(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    const { tide, policy } = this.#parts
    const token = await this.#announce(tags, reason)
    if (token !== undefined && !hasReached(tide.follower, token))
      await tide.reach(token, policy.tokenTimeoutMs).catch(() => undefined)
    return token
  }

  #announce(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    const { tide, invalidate } = this.#parts
    if (invalidate !== undefined) return invalidate(tags, reason)
    if (tide.invalidate !== undefined) return tide.invalidate(tags, reason)
    throw new CacheError('cache.no-invalidation', 'this cache follows a log that takes no invalidations')
  }

  #keep(key: string, value: unknown, stamp: Stamp, options: PutOptions): Promise<boolean> | false {
    const { holdings, policy: byDefault } = this.#parts
    const { tags = noTags } = options
    const policy = policyOf(options, byDefault)
    const standing = options.policy ?? byDefault
    const said = { policy, standing, loadCostMs: 0, directions: noDirections, isTold: true }
    return holdings.keep({ key, value, stamp, tags, ...said }).stored
  }
}

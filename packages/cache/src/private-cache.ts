/**
 * A namespace whose values belong to somebody. There is no way to a value but through its owner, and the owner is said once,
 * by the service that knows who is asking, not by the key that a client sent: `cache.for(owner).get(key)` cannot spell a key
 * of another owner, whatever `key` is.
 *
 * An owner's values carry one more tag, so that forgetting all that is held of them is one change.
 */

import type { Stamp, Token } from '@tidemark/tide'

import type { Advice } from './advice/advice.js'
import type { Answer } from './answer.js'
import type { Cache, ManyAnswers } from './cache.js'
import type { PutOptions, SetOptions } from './changes.js'
import { createCache } from './create-cache.js'
import type { Explanation } from './explanation.js'
import { keyNames } from './l2/key-names.js'
import type { CacheOptions } from './options.js'
import { bad } from './options.js'
import type { FreshnessOptions, ReadManyRequest, ReadRequest } from './request.js'
import type { CacheStats } from './stats.js'

const maxOwnerLength = 256

/** The values of all owners together: what can be done without naming one. */
export class PrivateCache {
  readonly #cache: Cache
  readonly #ownerTag: (owner: string) => string

  constructor(cache: Cache, ownerTag: (owner: string) => string) {
    this.#cache = cache
    this.#ownerTag = ownerTag
  }

  /**
   * The values of `owner`, to be taken from an identity that was verified.
   * @throws CacheError 'cache.bad-option' for one that is empty or longer than 256 characters
   */
  for(owner: string): OwnersCache {
    if (typeof owner !== 'string' || owner === '' || owner.length > maxOwnerLength)
      throw bad(`owner: 1 to ${maxOwnerLength} characters are needed`)
    return new OwnersCache(this.#cache, owner, this.#ownerTag(owner))
  }

  ready(): Promise<void> {
    return this.#cache.ready()
  }

  invalidate(tags: readonly string[], reason?: string): Promise<Token | undefined> {
    return this.#cache.invalidate(tags, reason)
  }

  /** Sinks the values of every owner. */
  clear(): Promise<Token | undefined> {
    return this.#cache.clear()
  }

  get namespace(): string {
    return this.#cache.namespace
  }

  advise(): Advice {
    return this.#cache.advise()
  }

  stats(): CacheStats {
    return this.#cache.stats()
  }

  close(): Promise<void> {
    return this.#cache.close()
  }
}

/** One owner's part of a private namespace; made for each request. Its methods do what those of `Cache` do. */
export class OwnersCache {
  readonly #cache: Cache
  readonly #prefix: string
  readonly #tag: string

  constructor(cache: Cache, owner: string, tag: string) {
    this.#cache = cache
    // The length first: no owner's name can spell the beginning of another's keys.
    this.#prefix = `${owner.length}:${owner}:`
    this.#tag = tag
  }

  getOrSet<T>(request: ReadRequest<T>): T | Promise<T | undefined> {
    return this.#cache.getOrSet(this.#owned(request))
  }

  read<T>(request: ReadRequest<T>): Answer<T> | Promise<Answer<T>> {
    return this.#cache.read(this.#owned(request))
  }

  get<T>(key: string, options?: FreshnessOptions): T | undefined | Promise<T | undefined> {
    return this.#cache.get(this.#prefix + key, options)
  }

  has(key: string, options?: FreshnessOptions): boolean | Promise<boolean> {
    return this.#cache.has(this.#prefix + key, options)
  }

  async getMany<T>(keys: readonly string[], options?: FreshnessOptions): Promise<Map<string, T>> {
    return this.#named(
      await this.#cache.getMany<T>(
        keys.map((key) => this.#prefix + key),
        options,
      ),
    )
  }

  async getOrSetMany<T>(request: ReadManyRequest<T>): Promise<Map<string, T>> {
    return this.#named(await this.#cache.getOrSetMany(this.#ownedMany(request)))
  }

  async readMany<T>(request: ReadManyRequest<T>): Promise<ManyAnswers<T>> {
    const found = await this.#cache.readMany(this.#ownedMany(request))
    return { ...found, answers: this.#named(found.answers) }
  }

  peek<T>(key: string): T | undefined {
    return this.#cache.peek(this.#prefix + key)
  }

  stamp(): Stamp | undefined {
    return this.#cache.stamp()
  }

  set(key: string, value: unknown, options: SetOptions): boolean {
    return this.#cache.set(this.#prefix + key, value, {
      ...options,
      tags: [...(options.tags ?? []), this.#tag],
    })
  }

  put(key: string, value: unknown, options: PutOptions = {}): Promise<Token | undefined> {
    return this.#cache.put(this.#prefix + key, value, {
      ...options,
      tags: [...(options.tags ?? []), this.#tag],
    })
  }

  delete(key: string): Promise<Token | undefined> {
    return this.#cache.delete(this.#prefix + key)
  }

  deleteMany(keys: readonly string[]): Promise<Token | undefined> {
    return this.#cache.deleteMany(keys.map((key) => this.#prefix + key))
  }

  /** Sinks all that is held of this owner: one change. */
  clear(): Promise<Token | undefined> {
    return this.#cache.invalidate([this.#tag], 'clear')
  }

  explain(key: string): Promise<Explanation> {
    return this.#cache.explain(this.#prefix + key)
  }

  #owned<T>(request: ReadRequest<T>): ReadRequest<T> {
    const { key, tags, revealedTags } = request
    const isRevealed = typeof tags === 'function'
    return {
      ...request,
      key: this.#prefix + key,
      tags: [...(isRevealed ? [] : (tags ?? [])), this.#tag],
      ...(isRevealed ? { revealedTags: tags } : revealedTags && { revealedTags }),
    }
  }

  #ownedMany<T>({ keys, tags, revealedTags, load, ...asked }: ReadManyRequest<T>): ReadManyRequest<T> {
    const bare = (key: string): string => key.slice(this.#prefix.length)
    return {
      ...asked,
      keys: keys.map((key) => this.#prefix + key),
      tags: (key) => [...(tags?.(bare(key)) ?? []), this.#tag],
      ...(revealedTags && { revealedTags: (value, key) => revealedTags(value, bare(key)) }),
      load: async (missing, context) => {
        const loaded = await load(missing.map(bare), context)
        return new Map([...loaded].map(([key, value]) => [this.#prefix + key, value]))
      },
    }
  }

  #named<T>(values: ReadonlyMap<string, T>): Map<string, T> {
    return new Map([...values].map(([key, value]) => [key.slice(this.#prefix.length), value]))
  }
}

/**
 * A cache for a namespace whose values belong to somebody: a basket, a profile.
 *
 * @example const baskets = createPrivateCache({ redis, namespace: 'baskets' })
 *   await baskets.for(identity.subject).getOrSet({ key: 'current', load: () => findBasket(identity.subject) })
 * @throws CacheError 'cache.bad-option'
 */
export function createPrivateCache(options: CacheOptions): PrivateCache {
  // The tag goes into the log, and lies beside each value in the clear: it names the owner as a key would.
  const nameOf = keyNames(options.namespace, options.encrypt?.names)
  return new PrivateCache(createCache(options), (owner) => `!${options.namespace}@${nameOf(owner)}`)
}

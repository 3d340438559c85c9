import type { Token } from '@tidemark/tide'

import { argumentKey } from './argument-key.js'
import type { Cache } from './cache.js'
import { keyUnder } from './loader.js'
import { definePolicy } from './policy.js'
import type { PolicyOptions } from './policy.js'
import type { ReadRequest } from './request.js'

export interface CachedOptions<Args extends unknown[], T> extends PolicyOptions {
  /** Stands before each key: two functions of one cache need two. */
  readonly name: string
  /** Default: made of all arguments; what cannot be told apart is refused, with CacheError 'cache.bad-option'. */
  readonly key?: (...args: Args) => string | number
  readonly tags?: (...args: Args) => readonly string[]
  /** Tags that only the value reveals, beside `tags`. */
  readonly revealedTags?: (value: T, ...args: Args) => readonly string[]
}

/** A function whose answers are kept. */
export interface CachedFunction<Args extends unknown[], T> {
  (...args: Args): Promise<T>
  keyOf(...args: Args): string
  /** Sinks the answer to these arguments, everywhere. @throws as `Cache.invalidate` does */
  delete(...args: Args): Promise<Token | undefined>
}

/** What `cached` needs of a cache; an owner's part of a private one has it too. */
export type Caches = Pick<Cache, 'getOrSet' | 'delete'>

/**
 * `fn`, asked through `cache`: the same arguments, the same answers, as `Cache.getOrSet` would give them.
 *
 * @example const find = cached(cache, findProduct, { name: 'product', tags: (id) => [`product:${id}`], ttl: '10m' })
 *   const product = await find('42')
 * @throws CacheError 'cache.bad-option'; the function made throws what `getOrSet` throws
 */
export function cached<Args extends unknown[], Result>(
  cache: Caches,
  fn: (...args: Args) => Result,
  options: CachedOptions<Args, Awaited<Result>>,
): CachedFunction<Args, Awaited<Result>> {
  type T = Awaited<Result>
  const { name, key, tags, revealedTags, ...policy } = options
  // Checked now, and not at the first call.
  definePolicy(policy)

  const under = keyUnder(name)
  const keyOf = (...args: Args): string => under(key === undefined ? argumentKey(args) : key(...args))

  const ask = async (...args: Args): Promise<T> => {
    const request: ReadRequest<T> = {
      ...policy,
      key: keyOf(...args),
      ...(tags && { tags: tags(...args) }),
      ...(revealedTags && { revealedTags: (value: T) => revealedTags(value, ...args) }),
      load: () => fn(...args) as T | Promise<T>,
    }
    // Undefined only where `fn` gave it, and then it is a T.
    return (await cache.getOrSet(request)) as T
  }

  return Object.assign(ask, { keyOf, delete: (...args: Args) => cache.delete(keyOf(...args)) })
}

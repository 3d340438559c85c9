import type { Token } from '@tidemark/tide'

import type { Answer } from './answer.js'
import type { Finder } from './finder.js'
import type { Hits } from './hits.js'
import { bad } from './options.js'
import type { Policy, PolicyOptions } from './policy.js'
import { definePolicy } from './policy.js'
import type { BatchContext, FreshnessOptions, LoadContext, ReadManyRequest, ReadRequest } from './request.js'

export interface LoaderOptions<T, Id extends string | number = string> extends PolicyOptions {
  /** Default: the loader's name, a colon and the id. A namespace that holds one kind of value needs no prefix. */
  readonly key?: (id: Id) => string
  readonly tags?: (id: Id) => readonly string[]
  /** Tags that only the value reveals, beside `tags`. */
  readonly revealedTags?: (value: T, id: Id) => readonly string[]
  /** Reads one from the origin. */
  readonly load: (id: Id, context: LoadContext) => T | undefined | Promise<T | undefined>
  /** Reads many from the origin at once; without it `getMany` loads one by one. */
  readonly loadMany?: (
    ids: readonly Id[],
    context: BatchContext,
  ) => ReadonlyMap<Id, T> | Promise<ReadonlyMap<Id, T>>
}

/** What a loader asks through. */
interface Asked {
  read<T>(request: ReadRequest<T>): Answer<T> | Promise<Answer<T>>
  getOrSet<T>(request: ReadRequest<T>): T | Promise<T | undefined>
  getOrSetMany<T>(request: ReadManyRequest<T>): Map<string, T> | Promise<Map<string, T>>
  peek<T>(key: string): T | undefined
  delete(key: string): Promise<Token | undefined>
}

export interface LoaderParts {
  readonly cache: Asked
  readonly hits: Hits
  readonly finder: Finder
  readonly policy: Policy
}

/**
 * The keys of a loader that names none: its name, a colon, the id. A name with a colon could begin as another one's id does.
 * @throws CacheError 'cache.bad-option'
 */
export function keyUnder(name: string): (id: string | number) => string {
  if (name.includes(':')) throw bad(`name: "${name}" holds a colon, which ends it in its keys; leave it out`)
  return (id) => `${name}:${id}`
}

/** One kind of value, its loader said once. Make it once, with `cache.defineLoader`. */
export class Loader<T, Id extends string | number = string> {
  readonly name: string
  readonly policy: Policy
  readonly #cache: Asked
  readonly #hits: Hits
  readonly #finder: Finder
  readonly #options: LoaderOptions<T, Id>
  readonly #keyOf: (id: Id) => string

  constructor({ cache, hits, finder, policy }: LoaderParts, name: string, options: LoaderOptions<T, Id>) {
    this.name = name
    this.policy = definePolicy({ kind: name, ...options }, policy)
    this.#cache = cache
    this.#hits = hits
    this.#finder = finder
    this.#options = options
    this.#keyOf = options.key ?? keyUnder(name)
  }

  /** A hit in memory comes as it is, without a promise. @throws as `Cache.getOrSet` does */
  get(id: Id): T | Promise<T | undefined> {
    const key = this.#keyOf(id)
    const entry = this.#hits.findUnder<T>(key, this.policy)
    if (entry === undefined) return this.#finder.find(this.#request(id, key)).then(({ entry }) => entry.value)
    if (this.#hits.isNearEnd) this.#finder.drawRefresh(entry, this.#request(id, key))
    return entry.value
  }

  /** With what is asked of this answer, and its story. */
  read(id: Id, asked: FreshnessOptions = {}): Answer<T> | Promise<Answer<T>> {
    return this.#cache.read({ policy: this.policy, ...asked, ...this.#request(id, this.#keyOf(id)) })
  }

  /** A map in the order of `ids`, without those that the origin does not have. */
  async getMany(ids: readonly Id[], asked: FreshnessOptions = {}): Promise<Map<Id, T>> {
    const { tags, revealedTags, loadMany } = this.#options
    const idOf = new Map(ids.map((id) => [this.#keyOf(id), id]))
    const of = (key: string): Id => idOf.get(key)!
    if (loadMany === undefined) {
      const found = await Promise.all(
        [...idOf].map(([key, id]) => this.#cache.getOrSet({ ...this.#request(id, key), ...asked })),
      )
      return this.#found([...idOf.values()], found)
    }
    const values = await this.#cache.getOrSetMany<T>({
      policy: this.policy,
      ...asked,
      keys: [...idOf.keys()],
      ...(tags && { tags: (key) => tags(of(key)) }),
      ...(revealedTags && { revealedTags: (value, key) => revealedTags(value, of(key)) }),
      load: async (missing, context) => {
        const loaded = await loadMany(missing.map(of), context)
        return new Map([...loaded].map(([id, value]) => [this.#keyOf(id), value]))
      },
    })
    return new Map([...values].map(([key, value]) => [of(key), value]))
  }

  /** What memory would serve now; does not count as a use. */
  peek(id: Id): T | undefined {
    return this.#cache.peek(this.#keyOf(id))
  }

  /** Sinks what anybody holds of `id`. @throws as `Cache.invalidate` does */
  delete(id: Id): Promise<Token | undefined> {
    return this.#cache.delete(this.#keyOf(id))
  }

  keyOf(id: Id): string {
    return this.#keyOf(id)
  }

  #request(id: Id, key: string): ReadRequest<T> {
    const { tags, revealedTags, load } = this.#options
    return {
      key,
      policy: this.policy,
      ...(tags && { tags: tags(id) }),
      ...(revealedTags && { revealedTags: (value: T) => revealedTags(value, id) }),
      load: (context) => load(id, context),
    }
  }

  #found(ids: readonly Id[], values: readonly (T | undefined)[]): Map<Id, T> {
    const found = new Map<Id, T>()
    for (const [i, id] of ids.entries()) if (values[i] !== undefined) found.set(id, values[i])
    return found
  }
}

/** What the race suite needs of a cache library: one small object for each, and no change to the library. */

/**
 * What a library has. What it lacks is not counted against it: a race that needs it is not run.
 * - memory: values are kept in the process, in front of Redis where there is one
 * - redis: values are kept in Redis
 * - bus: other nodes' memories learn of an invalidation
 * - tags, many, clear, put: the instance's methods of that kind
 * - redelivery: the adapter can deliver old messages to an instance once more
 */
export type Offer = 'memory' | 'redis' | 'bus' | 'tags' | 'many' | 'clear' | 'put' | 'redelivery'

export interface RaceSetup {
  /**
   * Where Redis is for this instance: an address that `faults.route()` gave. A URL; for Sentinel or Cluster whatever the
   * adapter and the faults agree on.
   */
  readonly redisUrl: string
  /** No other race has it; every instance of one race has the same. */
  readonly namespace: string
  /** Which node it stands for: 'a', 'b', …; in log lines and client names. */
  readonly role: string
}

export interface GetOptions {
  readonly tags?: readonly string[]
  /** Default: ten minutes, or whatever is longer than a race. */
  readonly ttlMs?: number
}

/** One node: a cache over Redis, with memory before it and a bus beside it where the library has them. */
export interface RaceInstance {
  /** From the cache, else from `load`; stored then. */
  getOrSet(key: string, load: () => Promise<unknown>, options?: GetOptions): unknown
  /**
   * Announces that the origin of `key` has changed. Rejects, or gives `false`, where that could not be done and the library
   * says so by whatever means, an event or a log line too: the caller will try again.
   */
  invalidateKey(key: string): Promise<unknown>
  /** The same for everything that carries `tag`. With 'tags'. */
  invalidateTag?(tag: string): Promise<unknown>
  /** One call for many keys; `load` reads those that are missing, in one go. With 'many'. */
  getMany?(
    keys: readonly string[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, unknown>>,
  ): Promise<ReadonlyMap<string, unknown>>
  /** The cache forgets everything of its namespace, on every node. With 'clear'. */
  clear?(): Promise<unknown>
  /** Stores a new value that the caller has just written. With 'put'. */
  put?(key: string, value: unknown): Promise<unknown>
  /** Delivers what this node was told so far once more, last message first. How many there were. With 'redelivery'. */
  redeliver?(): Promise<number>
  close(): Promise<unknown>
}

export interface RaceAdapter {
  /** Of the library. */
  readonly name: string
  readonly offers: readonly Offer[]
  /** Resolves when the instance works: connected, and subscribed where there is a bus. */
  open(setup: RaceSetup): Promise<RaceInstance>
}

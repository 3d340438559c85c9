/** What a benchmark needs of a cache; each peer's file says which settings it was given and why. */

/** `l1`: memory alone; `l2`: Redis alone. */
export type Tiers = 'l1' | 'l2' | 'l1+l2'

/** About 1 KB as JSON. `version` is what the origin held when it was read. */
export interface Value {
  readonly id: string
  readonly version: number
  readonly body: string
}

type Load = (key: string) => Promise<Value>

interface PeerSetup {
  readonly tiers: Tiers
  /** Whether other processes must learn of an invalidation. */
  readonly bus: boolean
  /** The database for cached values, empty. */
  readonly redisUrl: string
  /** Entries that L1 must hold. */
  readonly entries: number
  readonly load: Load
  /** Where our log lives; peers have no use for it. */
  readonly log: { readonly redisUrl: string; readonly postgresUrl: string }
}

export interface OpenPeer {
  /** From the cache, else from `load`. */
  get(key: string): Value | null | undefined | Promise<Value | null | undefined>
  invalidate?(key: string): Promise<unknown>
  close(): Promise<unknown>
}

export interface Peer {
  readonly name: string
  /** `cache`, or a `floor`: a bare part that promises nothing, for scale. */
  readonly kind: 'us' | 'cache' | 'floor'
  readonly tiers: readonly Tiers[]
  readonly hasBus: boolean
  open(setup: PeerSetup): Promise<OpenPeer>
}

export const ttlMs = 600_000

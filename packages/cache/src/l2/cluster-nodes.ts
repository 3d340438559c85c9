/**
 * The servers of a Redis Cluster, each with a breaker of its own: one that is dead or hangs costs its own keys.
 *
 * Commands go straight to the server that owns the slot, as far as the client knows, and not through the client's own
 * redirecting: that tries again for as long as sixteen redirections take, and a request has no time for that. A key that
 * has moved is a miss, or a store that is skipped, and the client is made to ask where the slots are now; so it is also
 * when a server cannot be reached, since a replica may have taken over. Asking is paced.
 */

import calculateSlot from 'cluster-key-slot'
import type { Cluster, Redis } from 'ioredis'

import type { NodeLimits } from './redis-node.js'
import { RedisNode } from './redis-node.js'

const learnPauseMs = 100

/** What keys are sent to whose slot nobody is known to own. */
const nobody = ''

export class ClusterNodes {
  readonly #cluster: Cluster
  readonly #limits: NodeLimits
  readonly #failed: (error: unknown) => void
  readonly #nodes = new Map<string, RedisNode>()
  #connections: Map<string, Redis> | undefined
  #hasJustLearnt = false

  constructor(cluster: Cluster, limits: NodeLimits, failed: (error: unknown) => void) {
    this.#cluster = cluster
    this.#limits = limits
    this.#failed = failed
    const forget = (): void => {
      this.#connections = undefined
    }
    cluster.on('+node', forget)
    cluster.on('-node', forget)
    cluster.on('refresh', () => {
      forget()
      this.#prune()
    })
  }

  get all(): Iterable<RedisNode> {
    return this.#nodes.values()
  }

  /** The server that owns the slot of `key`. */
  of(key: string): RedisNode {
    return this.#at(this.#cluster.slots[calculateSlot(key)]?.[0] ?? nobody)
  }

  #at(address: string): RedisNode {
    let node = this.#nodes.get(address)
    if (node === undefined) {
      node = new RedisNode({
        find: () => this.#connectionTo(address),
        limits: this.#limits,
        troubled: (_node, error) => {
          if (error !== undefined) this.#failed(error)
          this.learn()
        },
      })
      this.#nodes.set(address, node)
    }
    return node
  }

  /** The servers that own slots, each once; where none is known, one that cannot be reached. */
  get owners(): RedisNode[] {
    const addresses = new Set(this.#cluster.slots.map((holders) => holders[0] ?? nobody))
    if (addresses.size === 0) addresses.add(nobody)
    return [...addresses].map((address) => this.#at(address))
  }

  /** Asks the Cluster who owns which slots, unless that has just been done. */
  learn(): void {
    if (this.#hasJustLearnt) return
    this.#hasJustLearnt = true
    this.#limits.schedule(learnPauseMs, () => {
      this.#hasJustLearnt = false
    })
    if (this.#cluster.status === 'wait') this.#cluster.connect().catch(() => undefined)
    else this.#cluster.refreshSlotsCache()
  }

  #connectionTo(address: string): Redis | undefined {
    this.#connections ??= new Map(
      this.#cluster.nodes().map((redis) => [`${redis.options.host}:${redis.options.port}`, redis]),
    )
    return this.#connections.get(address)
  }

  /** Servers that own nothing any more take their breakers with them. */
  #prune(): void {
    const owners = new Set(this.#cluster.slots.map((addresses) => addresses[0]))
    for (const address of this.#nodes.keys()) if (!owners.has(address)) this.#nodes.delete(address)
  }
}

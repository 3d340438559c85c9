/**
 * A Redis client, made safe to wait for: one server (also by way of Sentinel), or a Cluster of them. All namespaces on a
 * client share what is known of its servers. It heals by itself: what Redis says about having moved is heeded here, and
 * to the call that was told so it is a miss.
 */

import type { Cluster, Redis } from 'ioredis'

import type { Schedule } from '../schedule.js'
import { timerSchedule } from '../schedule.js'
import { ClusterNodes } from './cluster-nodes.js'
import type { BreakerState, NodeLimits } from './redis-node.js'
import { RedisNode } from './redis-node.js'
import { SentinelWatch } from './sentinel-watch.js'

export interface GuardOptions {
  /** Default 50. */
  readonly deadlineMs?: number
  /** Failures in a row after which nothing is sent to a server. Default 5. */
  readonly failuresToOpen?: number
  /** After how long one call is let through to see. Default 500. */
  readonly probeAfterMs?: number
  /** Calls (batches) waiting for one server at once. Default 256. */
  readonly maxInFlight?: number
  readonly schedule?: Schedule
}

const worseness: readonly BreakerState[] = ['closed', 'half-open', 'open']

export class GuardedRedis {
  readonly client: Redis | Cluster
  /** Where there is but one server. */
  readonly only: RedisNode | undefined
  /** What the client's `keyPrefix` would add, where commands go past it. */
  readonly keyPrefix: string
  /** Why a call last failed; for `explain` and logs. */
  lastError: unknown
  readonly #limits: NodeLimits
  readonly #nodes: ClusterNodes | undefined
  readonly #sentinel: SentinelWatch | undefined
  #opening: Promise<void> | undefined

  constructor(client: Redis | Cluster, options: GuardOptions = {}) {
    const { deadlineMs = 50, failuresToOpen = 5, probeAfterMs = 500, maxInFlight = 256 } = options
    const { schedule = timerSchedule } = options
    const limits = { deadlineMs, failuresToOpen, probeAfterMs, maxInFlight, schedule }
    this.client = client
    this.#limits = limits
    if (isCluster(client)) {
      this.keyPrefix = client.options.redisOptions?.keyPrefix === undefined ? keyPrefixOf(client) : ''
      this.#nodes = new ClusterNodes(client, limits, (error) => {
        this.lastError = error
      })
    } else {
      this.keyPrefix = ''
      if (client.options.sentinels != null) this.#sentinel = new SentinelWatch(client, schedule)
      this.only = new RedisNode({
        find: () => client,
        limits,
        troubled: (node, error) => {
          if (error === undefined) this.#sentinel?.watch()
          else {
            this.lastError = error
            if (error instanceof Error) this.heed(error)
            if (node.breaker !== 'closed') this.#sentinel?.redial()
          }
        },
      })
    }
  }

  /** The worst of its servers. */
  get breaker(): BreakerState {
    if (this.only !== undefined) return this.only.breaker
    let worst = 0
    for (const node of this.#nodes!.all) worst = Math.max(worst, worseness.indexOf(node.breaker))
    return worseness[worst]!
  }

  /** The server that holds `key`. */
  nodeOf(key: string): RedisNode {
    return this.only ?? this.#nodes!.of(key)
  }

  /** The part of `items` that each server holds the key of. */
  byNode<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<RedisNode, Item[]> {
    const parts = new Map<RedisNode, Item[]>()
    for (const item of items) {
      const node = this.nodeOf(keyOf(item))
      const part = parts.get(node)
      if (part === undefined) parts.set(node, [item])
      else part.push(item)
    }
    return parts
  }

  /** Every server that holds keys. */
  async nodes(): Promise<readonly RedisNode[]> {
    await this.opening()
    return this.only === undefined ? this.#nodes!.owners : [this.only]
  }

  /** What a server said instead of an answer. */
  heed(error: Error): void {
    if (/^(MOVED|ASK|CLUSTERDOWN) /.test(error.message)) this.#nodes?.learn()
    else if (error.message.startsWith('READONLY ')) this.#sentinel?.redial()
  }

  /**
   * A Cluster that has only begun to connect: until it knows who owns which slots, and no longer than a call may take.
   * Undefined: there is nothing to wait for, or it has been waited for once.
   */
  opening(): Promise<void> | undefined {
    const { client } = this
    if (!isCluster(client) || client.slots.length > 0) return undefined
    if (this.#opening === undefined) {
      if (client.status === 'wait') client.connect().catch(() => undefined)
      this.#opening = new Promise<void>((resolve) => {
        const cancel = this.#limits.schedule(this.#limits.deadlineMs, resolve)
        client.once('ready', () => {
          cancel()
          resolve()
        })
      }).then(() => {
        this.#hasOpened = true
      })
    }
    return this.#hasOpened ? undefined : this.#opening
  }

  #hasOpened = false
}

const isCluster = (client: Redis | Cluster): client is Cluster => 'nodes' in client

const keyPrefixOf = (client: Cluster): string => client.options.keyPrefix ?? ''

/** One guard for each client: two namespaces on one client share its fate, so they share its breaker and its batches. */
const guards = new WeakMap<Redis | Cluster, GuardedRedis>()

/** The guard of `client`; `options` count when it is first asked for. */
export function guardRedis(client: Redis | Cluster, options?: GuardOptions): GuardedRedis {
  const known = guards.get(client)
  if (known !== undefined) return known
  const guard = new GuardedRedis(client, options)
  guards.set(client, guard)
  return guard
}

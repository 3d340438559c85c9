import { randomUUID } from 'node:crypto'

import type { GetOptions, RaceAdapter, RaceInstance } from './adapter.js'
import type { FaultRoute, Faults, Fork } from './faults.js'
import { Origin } from './origin.js'
import { within } from './patience.js'
import { RaceProcess } from './race-process.js'

/** One node of the race: an instance, and its way to Redis. */
export interface RaceNode {
  readonly cache: RaceInstance
  readonly route: FaultRoute
  /** Through the cache, from the origin of the scene where it must be. */
  ask(key: string, options?: GetOptions): unknown
}

const closeMs = 3_000

/** Everything that one race plays with; nothing is shared with another. */
export class Scene {
  readonly origin = new Origin()
  readonly namespace = `race-${randomUUID().slice(0, 8)}`
  readonly faults: Faults
  readonly canFork: boolean
  readonly #adapter: RaceAdapter
  readonly #fork: Fork | undefined
  readonly #closing: (() => Promise<unknown>)[] = []

  constructor(adapter: RaceAdapter, faults: Faults, fork: Fork | undefined) {
    this.#adapter = adapter
    this.faults = faults
    this.#fork = fork
    this.canFork = fork !== undefined
  }

  /** A node in this process. */
  async node(role: string): Promise<RaceNode> {
    const route = await this.#route()
    const cache = await this.#adapter.open({ redisUrl: route.url, namespace: this.namespace, role })
    this.#closing.push(() => cache.close())
    this.#closing.push(() => route.heal())
    const { origin } = this
    return { cache, route, ask: (key, options) => cache.getOrSet(key, origin.loader(key), options) }
  }

  /** A node in a process of its own. `load` answers what it loads; the scene's origin by default. */
  async process(
    role: string,
    load = (key: string): Promise<unknown> => Promise.resolve(this.origin.read(key)),
  ): Promise<{ readonly process: RaceProcess; readonly route: FaultRoute }> {
    if (this.#fork === undefined) throw new Error('no processes were given to this suite')
    const route = await this.#route()
    const process = new RaceProcess(this.#fork(), load)
    this.#closing.push(() => process.kill())
    await process.open({ redisUrl: route.url, namespace: this.namespace, role })
    return { process, route }
  }

  /** The last one opened is closed first; an instance closes over a way to Redis that has healed and is still there. */
  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await within(closeMs, close()).catch(() => undefined)
  }

  async #route(): Promise<FaultRoute> {
    const route = await this.faults.route()
    this.#closing.push(() => route.close())
    return route
  }
}

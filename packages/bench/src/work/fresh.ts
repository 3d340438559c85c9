import { connect } from '../peers/connect.js'
import type { Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import { nowNs } from './monotonic.js'
import type { Calls, WorkInput } from './work.js'
import { valueOf } from './work.js'

const giveUpNs = 3e9

/**
 * The origin is a key in Redis, read over a connection of its own. One process changes it and invalidates; the other
 * asks its cache over and over, from memory until the invalidation arrives, then loads.
 */
export async function fresh(input: WorkInput): Promise<Calls> {
  const origin = connect(input.log.redisUrl)
  let loads = 0
  const load = async (key: string): Promise<Value> => {
    loads++
    return valueOf(key, Number((await origin.get(`origin:${key}`)) ?? 0))
  }
  const peer = await peerNamed(input.peer).open({ ...input, load })

  return {
    async change({ key, version }: { key: string; version: number }): Promise<number> {
      await origin.set(`origin:${key}`, version)
      const changedNs = nowNs()
      await peer.invalidate!(key)
      return changedNs
    },
    read: async ({ key }: { key: string }) => (await peer.get(key))?.version,
    loads: () => loads,
    watch: ({ key, version }: { key: string; version: number }) =>
      watch(async () => (await peer.get(key))?.version, version),
  }
}

/** When `read` first gave `version` or a later one; undefined: not within 3 s. */
export async function watch(
  read: () => Promise<number | undefined>,
  version: number,
): Promise<number | undefined> {
  const startNs = nowNs()
  for (;;) {
    const seen = await read()
    const atNs = nowNs()
    if (seen !== undefined && seen >= version) return atNs
    if (atNs - startNs > giveUpNs) return undefined
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The three ways in which Redis is run, each with a way to it that can be broken for one node alone. */

import { faultProxy, ownCluster, ownRedis, ownSentinel, raceFaults } from '@tidemark/testkit'
import type { FaultProxy, RaceFaults } from '@tidemark/testkit'
import { Cluster, Redis } from 'ioredis'
import type { NatMap } from 'ioredis'

/** What a route's `url` says: who is asked first, and where proxies stand for servers. */
type Address =
  | { readonly kind: 'one'; readonly url: string }
  | { readonly kind: 'sentinel'; readonly sentinels: Node[]; readonly name: string; readonly natMap: NatMap }
  | { readonly kind: 'cluster'; readonly nodes: string[]; readonly natMap: NatMap }

interface Node {
  readonly host: string
  readonly port: number
}

export interface Place {
  readonly faults: RaceFaults
  remove(): Promise<void>
}

/** A client for what a route's `url` says; its errors are for the cache to bear. */
export function clientOf(url: string): Redis | Cluster {
  const address = JSON.parse(url) as Address
  const client = open(address)
  client.on('error', () => undefined)
  return client
}

function open(address: Address): Redis | Cluster {
  switch (address.kind) {
    case 'one':
      return new Redis(address.url)
    case 'sentinel': {
      const { sentinels, name, natMap } = address
      return new Redis({ sentinels, name, natMap })
    }
    case 'cluster':
      return new Cluster(address.nodes, { natMap: address.natMap })
  }
}

export const places: Readonly<Record<string, () => Promise<Place>>> = {
  'one Redis': async () => {
    const redis = await ownRedis()
    const faults = raceFaults([redis.url], () => route([redis.url], ([url]) => ({ kind: 'one', url: url! })))
    return { faults, remove: () => redis.remove() }
  },
  Sentinel: async () => {
    const set = await ownSentinel()
    const { sentinels, name } = set
    const urls = [await set.master(), await set.replica()].map(({ url }) => url)
    const faults = raceFaults([urls[0]!], () =>
      route(urls, (_, natMap) => ({ kind: 'sentinel', sentinels: [...sentinels], name, natMap })),
    )
    return { faults, remove: () => set.remove() }
  },
  Cluster: async () => {
    const cluster = await ownCluster()
    const faults = raceFaults(cluster.nodes, () =>
      route(cluster.nodes, (nodes, natMap) => ({ kind: 'cluster', nodes, natMap })),
    )
    return { faults, remove: () => cluster.remove() }
  },
}

/** A proxy before each of `urls`, which fail together. */
async function route(
  urls: readonly string[],
  address: (urls: string[], natMap: NatMap) => Address,
): Promise<FaultProxy> {
  const proxies = await Promise.all(urls.map((url) => faultProxy(url)))
  const natMap: Record<string, Node> = {}
  for (const [i, { url }] of proxies.entries()) {
    const { hostname: host, port } = new URL(url)
    natMap[`127.0.0.1:${new URL(urls[i]!).port}`] = { host, port: Number(port) }
  }
  const each = async (act: (proxy: FaultProxy) => unknown): Promise<void> => {
    await Promise.all(proxies.map(act))
  }
  return {
    url: JSON.stringify(
      address(
        proxies.map(({ url }) => url),
        natMap,
      ),
    ),
    cut: () => each((proxy) => proxy.cut()),
    heal: () => each((proxy) => proxy.heal()),
    close: () => each((proxy) => proxy.close()),
    hang() {
      for (const proxy of proxies) proxy.hang()
    },
    holdAnswers() {
      for (const proxy of proxies) proxy.holdAnswers()
    },
  }
}

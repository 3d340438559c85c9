import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { connect } from './connect.js'
import type { Peer } from './peer.js'
import { ttlMs } from './peer.js'

/** L1 without serialisation (by default it keeps JSON text); ioredis as for everyone, its bus on a connection of its own. */
export const bentocache: Peer = {
  name: 'bentocache',
  kind: 'cache',
  tiers: ['l1', 'l2', 'l1+l2'],
  hasBus: true,
  open({ tiers, bus, redisUrl, entries, load }) {
    const redis = tiers === 'l1' ? undefined : connect(redisUrl)
    const { hostname, port } = new URL(redisUrl)
    let store = bentostore()
    if (tiers !== 'l2') store = store.useL1Layer(memoryDriver({ maxItems: entries, serialize: false }))
    if (redis !== undefined) store = store.useL2Layer(redisDriver({ connection: redis }))
    if (bus) store = store.useBus(redisBusDriver({ connection: { host: hostname, port: Number(port) } }))
    const cache = new BentoCache({ default: 'all', ttl: ttlMs, stores: { all: store } })
    return Promise.resolve({
      get: (key) => cache.getOrSet({ key, factory: () => load(key) }),
      invalidate: (key) => cache.delete({ key }),
      close: () => cache.disconnectAll(),
    })
  },
}

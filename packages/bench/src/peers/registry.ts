import { asyncCacheDedupe } from './async-cache-dedupe.js'
import { bentocache } from './bentocache.js'
import { cacheManager } from './cache-manager.js'
import { cacheable } from './cacheable.js'
import { ioredis } from './ioredis.js'
import { layeredLoader } from './layered-loader.js'
import { lruCache } from './lru-cache.js'
import { map } from './map.js'
import { nodeRedis } from './node-redis.js'
import type { Peer, Tiers } from './peer.js'
import { tidemark } from './tidemark.js'

export const peers: readonly Peer[] = [
  tidemark,
  layeredLoader,
  bentocache,
  cacheable,
  cacheManager,
  asyncCacheDedupe,
  lruCache,
  map,
  ioredis,
  nodeRedis,
]

export const peersWith = (tiers: Tiers): readonly Peer[] => peers.filter((peer) => peer.tiers.includes(tiers))

export function peerNamed(name: string): Peer {
  const peer = peers.find((each) => each.name === name)
  if (peer === undefined) throw new Error(`no peer is called "${name}"`)
  return peer
}

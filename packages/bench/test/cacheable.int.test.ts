/** cacheable over our Keyv store: here, since it is among the peers that this package brings. */
import { createCache } from '@tidemark/cache'
import { keyvStore } from '@tidemark/cache/keyv'
import { eventually, redisSpace } from '@tidemark/testkit'
import { Cacheable } from 'cacheable'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { expect, test } from 'vitest'

test('cacheable sets, gets, wraps, deletes and clears through it, in two processes', async () => {
  const { url, prefix } = redisSpace()
  const redis = new Redis(url)
  const caches = [0, 1].map(() => createCache({ redis, prefix, namespace: 'cacheable' }))
  // Its own memory tier hears of nothing; in front of ours it is not needed.
  const primaryOf = (cache: (typeof caches)[number]) => new Keyv({ store: keyvStore(cache) })
  const [a, b] = caches.map((cache) => new Cacheable({ primary: primaryOf(cache) })) as [Cacheable, Cacheable]
  try {
    await Promise.all(caches.map((cache) => cache.ready()))
    const sees = (value: unknown) => eventually(async () => expect(await b.get('k')).toEqual(value))
    await a.set('k', { n: 1 }, '1m')
    await sees({ n: 1 })
    await a.set('k', { n: 2 }, '1m')
    await sees({ n: 2 })
    expect(await a.delete('k')).toBe(true)
    await sees(undefined)
    let loads = 0
    expect(await a.getOrSet('k', () => Promise.resolve({ n: 10 + ++loads }), { ttl: '1m' })).toEqual({
      n: 11,
    })
    await sees({ n: 11 })
    await a.setMany([
      { key: 'x', value: 1 },
      { key: 'y', value: 2 },
    ])
    expect(await b.getMany(['x', 'y', 'z'])).toEqual([1, 2, undefined])
    await a.clear()
    await sees(undefined)
  } finally {
    for (const cache of caches) await cache.close()
    redis.disconnect()
  }
})

test('as a second tier it keeps what the first one has forgotten', async () => {
  const { url, prefix } = redisSpace()
  const redis = new Redis(url)
  const store = keyvStore({ redis, prefix, namespace: 'second', l1: false })
  try {
    const cacheable = new Cacheable({ secondary: new Keyv({ store }) })
    await cacheable.set('k', 'v')
    await cacheable.primary.clear()
    expect(await cacheable.get('k')).toBe('v')
  } finally {
    await store.disconnect()
    redis.disconnect()
  }
})

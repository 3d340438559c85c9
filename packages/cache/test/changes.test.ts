import { describe, expect, test } from 'vitest'

import { createCache, createPrivateCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const setUp = () => {
  const tide = handLog()
  return { tide, cache: createCache({ follow: tide, namespace: 'n', policy: { ttl: '1m' } }) }
}

describe('delete and clear', () => {
  test('a deleted key has sunk, though no tag of its value was named; its neighbours have not', async () => {
    const { tide, cache } = setUp()
    for (const key of ['a', 'b']) await cache.getOrSet({ key, tags: ['t'], load: () => key })
    expect(await cache.delete('a')).toEqual({ term: 1, position: 1 })
    tide.prove()
    expect(cache.peek('a')).toBeUndefined()
    expect(cache.peek('b')).toBe('b')
    expect(tide.log).toEqual([{ tags: ['!n:a'] }])
  })

  test('a load that began before the delete is sunk by it', async () => {
    const { tide, cache } = setUp()
    let end!: (value: string) => void
    const loading = cache.getOrSet({
      key: 'a',
      load: () => new Promise<string>((resolve) => (end = resolve)),
    })
    await new Promise((resolve) => setImmediate(resolve))
    await cache.delete('a')
    end('late')
    expect(await loading).toBe('late')
    tide.prove()
    expect(cache.peek('a')).toBeUndefined()
  })

  test('clearing is one change, whatever the namespace holds, and leaves the others alone', async () => {
    const { tide, cache } = setUp()
    const other = createCache({ follow: tide, namespace: 'm' })
    for (let i = 0; i < 100; i++) await cache.getOrSet({ key: `k${i}`, load: () => i })
    await other.getOrSet({ key: 'k', load: () => 'other' })
    await cache.clear()
    expect(tide.log).toHaveLength(1)
    tide.prove()
    expect(cache.peek('k7')).toBeUndefined()
    expect(other.peek('k')).toBe('other')
  })
})

describe('put', () => {
  test('is served at once by whoever put it', async () => {
    const { tide, cache } = setUp()
    await cache.put('a', 1)
    tide.prove()
    expect(cache.peek('a')).toBe(1)
  })

  test('of two puts the one that is later in the log stays, in whatever order they are stored', async () => {
    const { tide, cache } = setUp()
    const epoch = { term: 1, nonce: 77 }
    tide.change('!n:a')
    tide.change('!n:a')
    expect(cache.set('a', 'later', { stamp: { epoch, tidemark: 2 } })).toBe(true)
    cache.set('a', 'earlier', { stamp: { epoch, tidemark: 1 } })
    expect(cache.peek('a')).toBe('later')
  })

  test('sinks for another put at a later position, though both were stored', async () => {
    const { tide, cache } = setUp()
    await cache.put('a', 'mine')
    tide.change('!n:a')
    expect(cache.peek('a')).toBeUndefined()
  })

  test('of two processes: the other one holds the old value no longer, and never again', async () => {
    const { tide, cache } = setUp()
    const other = createCache({ follow: tide, namespace: 'n' })
    await other.put('a', 'old')
    await cache.put('a', 'new')
    tide.prove()
    expect(other.peek('a')).toBeUndefined()
    expect(cache.peek('a')).toBe('new')
  })

  test('of undefined is refused, and announces nothing', async () => {
    const { tide, cache } = setUp()
    await expect(cache.put('a', undefined)).rejects.toMatchObject({ code: 'cache.bad-option' })
    expect(tide.log).toEqual([])
  })

  test('holds nothing where the log has gone on to another history meanwhile', async () => {
    const { tide, cache } = setUp()
    for (let i = 0; i < 3; i++) tide.change('t')
    const put = cache.put('a', 'v')
    // It begins below the position that the put was given.
    tide.newEpoch({ lost: 3 })
    await put
    expect(cache.peek('a')).toBeUndefined()
  })
})

describe('get', () => {
  test('gives what is held and loads nothing; null is held, undefined is nothing', async () => {
    const { cache } = setUp()
    expect(await cache.get('a')).toBeUndefined()
    await cache.getOrSet({ key: 'a', load: () => null })
    expect(cache.get('a')).toBeNull()
    await cache.getOrSet({ key: 'b', load: () => 2 })
    expect(await cache.getMany(['b', 'x', 'a', 'b'])).toEqual(
      new Map<string, unknown>([
        ['b', 2],
        ['a', null],
      ]),
    )
  })

  test('gives nothing that has sunk', async () => {
    const { tide, cache } = setUp()
    await cache.getOrSet({ key: 'a', tags: ['t'], load: () => 1 })
    tide.change('t')
    expect(await cache.get('a')).toBeUndefined()
  })
})

describe('a private namespace', () => {
  const setUpPrivate = () => {
    const tide = handLog()
    return { tide, baskets: createPrivateCache({ follow: tide, namespace: 'baskets' }) }
  }

  test('has no way to a value but through its owner, whatever the keys and owners spell', async () => {
    const { baskets } = setUpPrivate()
    const owners = ['a', 'a:b', '1:a', 'b', '1:a:b']
    const keys = ['b:c', 'c', 'a:b:c', ':c', '1:b:c']
    const each = owners.flatMap((owner) => keys.map((key) => [owner, key] as const))
    for (const [owner, key] of each)
      await baskets.for(owner).getOrSet({ key, load: () => JSON.stringify([owner, key]) })
    for (const [owner, key] of each) expect(baskets.for(owner).peek(key)).toBe(JSON.stringify([owner, key]))
    expect(baskets.stats().l1Entries).toBe(each.length)
  })

  test('forgets one owner by one change, and all of them by one', async () => {
    const { tide, baskets } = setUpPrivate()
    const fill = async () => {
      for (const owner of ['a', 'b'])
        for (const key of ['1', '2']) await baskets.for(owner).getOrSet({ key, load: () => owner + key })
    }
    await fill()
    await baskets.for('a').clear()
    tide.prove()
    expect([baskets.for('a').peek('1'), baskets.for('b').peek('1')]).toEqual([undefined, 'b1'])
    await fill()
    await baskets.clear()
    tide.prove()
    expect([baskets.for('a').peek('1'), baskets.for('b').peek('1')]).toEqual([undefined, undefined])
    expect(tide.log).toHaveLength(2)
  })

  test('puts, deletes and many keys stay with their owner; loaders see bare keys', async () => {
    const { tide, baskets } = setUpPrivate()
    const a = baskets.for('a')
    await a.put('x', 1)
    tide.prove()
    expect(await a.get('x')).toBe(1)
    expect(await baskets.for('b').get('x')).toBeUndefined()
    const found = await a.getOrSetMany({
      keys: ['x', 'y'],
      load: (missing) => {
        expect(missing).toEqual(['y'])
        return new Map([['y', 2]])
      },
    })
    expect(found).toEqual(
      new Map([
        ['x', 1],
        ['y', 2],
      ]),
    )
    await a.delete('x')
    tide.prove()
    expect(await a.getMany(['x', 'y'])).toEqual(new Map([['y', 2]]))
  })

  test.each(['', 'x'.repeat(257), undefined as unknown as string])(
    'an owner that names nobody is refused',
    (owner) => {
      expect(() => setUpPrivate().baskets.for(owner)).toThrow(/^owner: /)
    },
  )
})

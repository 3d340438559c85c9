import { describe, expect, test, vi } from 'vitest'

import { cached, createCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const setUp = () => {
  const tide = handLog()
  return { tide, cache: createCache({ follow: tide, namespace: 'n' }) }
}

describe('defineLoader', () => {
  test('says once how to load, and under which tags; a hit comes without a promise', async () => {
    const { tide, cache } = setUp()
    const load = vi.fn((id: string) => `value of ${id}`)
    const products = cache.defineLoader('product', { tags: (id) => [`product:${id}`], load, ttl: '1m' })
    expect(await products.get('7')).toBe('value of 7')
    expect(products.get('7')).toBe('value of 7')
    expect(cache.peek('product:7')).toBe('value of 7')
    tide.change('product:7')
    expect(await products.get('7')).toBe('value of 7')
    expect(load).toHaveBeenCalledTimes(2)
    expect(await products.read('7')).toMatchObject({ from: 'l1' })
  })

  test('null is an answer that is held', async () => {
    const { cache } = setUp()
    const load = vi.fn(() => null)
    const nobody = cache.defineLoader('user', { load })
    expect(await nobody.get('1')).toBeNull()
    expect(nobody.get('1')).toBeNull()
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('many ids: one load for the missing where there is one for many, in the order asked', async () => {
    const { cache } = setUp()
    const loadMany = vi.fn(
      (ids: readonly number[]) => new Map(ids.filter((id) => id !== 9).map((id) => [id, id * 2])),
    )
    const doubles = cache.defineLoader<number, number>('double', { load: (id) => id * 2, loadMany })
    await doubles.get(1)
    expect(await doubles.getMany([3, 1, 9, 2])).toEqual(
      new Map([
        [3, 6],
        [1, 2],
        [2, 4],
      ]),
    )
    expect(loadMany).toHaveBeenCalledTimes(1)
    expect(loadMany.mock.calls[0]![0]).toEqual([3, 9, 2])
  })

  test('many ids without a loader for many are loaded one by one', async () => {
    const { cache } = setUp()
    const load = vi.fn((id: string) => (id === 'none' ? undefined : id.toUpperCase()))
    const loud = cache.defineLoader('loud', { load })
    expect(await loud.getMany(['a', 'none', 'b', 'a'])).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
      ]),
    )
    expect(load).toHaveBeenCalledTimes(3)
  })

  test('tags known beforehand and tags that the value reveals both sink it', async () => {
    const { tide, cache } = setUp()
    const products = cache.defineLoader('product', {
      key: (id: string) => id,
      tags: (id) => [`product:${id}`],
      revealedTags: ({ brand }: { brand: number }) => [`brand:${brand}`],
      load: () => ({ brand: 7 }),
    })
    for (const tag of ['brand:7', 'product:1']) {
      await products.get('1')
      expect(products.peek('1')).toEqual({ brand: 7 })
      tide.change(tag)
      expect(products.peek('1')).toBeUndefined()
    }
    await products.get('1')
    await products.delete('1')
    tide.prove()
    expect(products.peek('1')).toBeUndefined()
  })

  test('no two loaders have one key: a name that could begin as another`s id is refused', () => {
    const { cache } = setUp()
    const load = (id: string) => id
    expect(() => cache.defineLoader('user:profile', { load })).toThrow(/^name: "user:profile" holds a colon/)
    expect(() => cached(cache, load, { name: 'user:profile' })).toThrow(/^name: /)
    expect(
      cache.defineLoader('user:profile', { key: (id: string) => `profile ${id}`, load }).keyOf('7'),
    ).toBe('profile 7')
  })
})

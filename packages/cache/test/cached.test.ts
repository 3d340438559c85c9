import { describe, expect, expectTypeOf, test, vi } from 'vitest'

import { cached, createCache, createPrivateCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const world = () => {
  const tide = handLog()
  const options = { follow: tide, namespace: 'n', policy: { maxLag: Infinity } }
  return { tide, options, cache: createCache(options) }
}

interface Product {
  readonly id: string
  readonly price: number
}

describe('cached(fn)', () => {
  test('the same arguments are answered once, others by themselves', async () => {
    const { cache } = world()
    const find = vi.fn(({ id }: { id: string }, currency: string) => Promise.resolve(`${id} in ${currency}`))
    const cachedFind = cached(cache, find, { name: 'find' })
    expect(await cachedFind({ id: '1' }, 'EUR')).toBe('1 in EUR')
    expect(await cachedFind({ id: '1' }, 'EUR')).toBe('1 in EUR')
    expect(await cachedFind({ id: '1' }, 'USD')).toBe('1 in USD')
    expect(find).toHaveBeenCalledTimes(2)
  })

  test('an answer is sunk by a change of its tags, of those its value reveals, and by delete', async () => {
    const { cache, tide } = world()
    let price = 0
    const find = cached(cache, (id: string): Promise<Product> => Promise.resolve({ id, price: ++price }), {
      name: 'product',
      key: (id) => id,
      tags: (id) => [`product:${id}`],
      revealedTags: ({ price: at }, id) => [`price:${at}`, `seen:${id}`],
    })
    expect(find.keyOf('7')).toBe('product:7')
    expect((await find('7')).price).toBe(1)
    tide.change('product:7')
    expect((await find('7')).price).toBe(2)
    tide.change('price:2')
    expect((await find('7')).price).toBe(3)
    await find.delete('7')
    expect((await find('7')).price).toBe(4)
    expect((await find('7')).price).toBe(4)
  })

  test('null is kept, undefined is handed on and not kept, errors are thrown and not kept', async () => {
    const { cache } = world()
    const answers = [null, undefined]
    const fn = vi.fn((i: number) => {
      if (i === 2) throw new Error('no such thing')
      return answers[i]
    })
    const ask = cached(cache, fn, { name: 'ask' })
    for (const i of [0, 0, 1, 1]) expect(await ask(i)).toBe(answers[i])
    await expect(ask(2)).rejects.toThrow('no such thing')
    await expect(ask(2)).rejects.toThrow('no such thing')
    expect(fn).toHaveBeenCalledTimes(5)
  })

  test('the types of arguments and answers are kept', () => {
    const { cache } = world()
    const sync = cached(cache, (a: number, b?: string) => ({ a, b }), { name: 'sync' })
    const late = cached(cache, (_id: string): Promise<Product | null> => Promise.resolve(null), {
      name: 'late',
    })
    expectTypeOf(sync).parameters.toEqualTypeOf<[a: number, b?: string]>()
    expectTypeOf(sync).returns.resolves.toEqualTypeOf<{ a: number; b: string | undefined }>()
    expectTypeOf(late).returns.resolves.toEqualTypeOf<Product | null>()
  })

  test('in a private namespace it answers for its owner alone', async () => {
    const { options } = world()
    const baskets = createPrivateCache(options)
    const basketOf = (owner: string) =>
      cached(baskets.for(owner), () => Promise.resolve(`of ${owner}`), { name: 'basket' })
    expect(await basketOf('ann')()).toBe('of ann')
    expect(await basketOf('bob')()).toBe('of bob')
  })

  test('a bad option is told when the function is made; arguments that make no key, when it is called', async () => {
    const { cache } = world()
    expect(() => cached(cache, () => 1, { name: 'x', ttl: 'soon' as never })).toThrow('ttl')
    const ask = cached(cache, (_done: () => void) => 1, { name: 'x' })
    await expect(ask(() => undefined)).rejects.toMatchObject({ code: 'cache.bad-option' })
  })
})

import { describe, expect, test, vi } from 'vitest'

import type { LoadContext } from '../src/index.js'
import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'
import type { HandLog } from '../src/testing/index.js'

const setUp = (policy = {}) => {
  const tide = handLog()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '1m', grace: '1h', ...policy } })
  const ask = (load: (context: LoadContext) => unknown, more = {}) =>
    cache.getOrSet({ key: 'k', tags: ['t'], load, ...more })
  return { tide, cache, ask }
}

const passes = (tide: HandLog, ms: number): void => {
  tide.pass(ms)
  tide.prove()
}

describe('what a loader is told', () => {
  test('a signal, the stamp of its value, and nothing of the past where nothing is held', async () => {
    const { tide, ask } = setUp()
    await ask((context) => {
      expect(context.signal.aborted).toBe(false)
      expect(context.stamp).toEqual(tide.follower.stamp())
      expect(context.previous()).toBeUndefined()
      return 1
    })
  })

  test('the previous value and its validator, once that has sunk or expired', async () => {
    const { tide, ask } = setUp()
    await ask((context) => {
      context.setValidator('"v1"')
      return 'old'
    })
    tide.change('t')
    const load = vi.fn((context: LoadContext) => {
      expect(context.previous()).toMatchObject({ value: 'old', validator: '"v1"' })
      return 'new'
    })
    expect(await ask(load)).toBe('new')
    expect(load).toHaveBeenCalledTimes(1)
  })
})

describe('what a loader can say', () => {
  test('not modified: the previous value is kept afloat with its validator and a new ttl, and is the same object', async () => {
    const { tide, cache, ask } = setUp()
    const value = { a: 1 }
    await ask((context) => {
      context.setValidator('"v1"')
      return value
    })
    passes(tide, 59_000)
    tide.change('t')
    expect(await ask((context) => context.notModified())).toBe(value)
    passes(tide, 59_000)
    expect(cache.peek('k')).toBe(value)
    tide.change('t')
    await ask((context) => {
      expect(context.previous()?.validator).toBe('"v1"')
      return 2
    })
  })

  test('not modified: what the value depended on it depends on still, though this load has not said so', async () => {
    const { tide, cache, ask } = setUp()
    const load = (context: LoadContext) => {
      if (context.previous() !== undefined) return context.notModified()
      context.setTags(['brand:7'])
      return 'v1'
    }
    await ask(load)
    for (let i = 0; i < 3; i++) {
      tide.change('brand:7')
      expect(cache.peek('k')).toBeUndefined()
      await ask(load)
      expect(cache.peek('k')).toBe('v1')
    }
  })

  test('not modified, with tags of its own: it is the load that knows', async () => {
    const { tide, cache, ask } = setUp()
    await ask((context) => {
      context.setTags(['brand:7'])
      return 'v1'
    })
    tide.change('brand:7')
    await ask((context) => {
      context.setTags(['brand:8'])
      return context.notModified()
    })
    tide.change('brand:7')
    expect(cache.peek('k')).toBe('v1')
    tide.change('brand:8')
    expect(cache.peek('k')).toBeUndefined()
  })

  test('not modified: what the loader was shown is meant, whatever is held when it has its answer', async () => {
    const { tide, cache, ask } = setUp()
    const validated = (value: string) => (context: LoadContext) => {
      context.setValidator(value)
      return value
    }
    await ask(validated('shown'))
    tide.change('t')
    const answered = gateway<undefined>()
    const asking = ask(async (context) => {
      expect(context.previous()?.value).toBe('shown')
      await answered.promise
      return context.notModified()
    })
    await settle()
    tide.change('t')
    await ask(validated('another'))
    tide.change('t')
    answered.open(undefined)
    expect(await asking).toBe('shown')
    expect(cache.peek('k')).toBeUndefined()
  })

  test('not modified where nothing was held is a failed load', async () => {
    const { ask } = setUp()
    await expect(ask((context) => context.notModified())).rejects.toMatchObject({ code: 'cache.load-failed' })
  })

  test('skip: the callers get the value, nobody else does', async () => {
    const { cache, ask } = setUp()
    expect(await ask((context) => context.skip('once'))).toBe('once')
    expect(cache.peek('k')).toBeUndefined()
    expect(cache.stats().l1Entries).toBe(0)
  })

  test('fail: what grace allows is served, and without grace the callers are told', async () => {
    const { tide, ask } = setUp()
    await ask(() => 'old')
    tide.change('t')
    expect(await ask((context) => context.fail('the answer was empty'))).toBe('old')
    const bare = setUp({ grace: 0 })
    await expect(bare.ask((context) => context.fail('empty'))).rejects.toMatchObject({
      code: 'cache.load-failed',
      message: 'empty',
    })
  })

  test('a ttl of its own', async () => {
    const { tide, cache, ask } = setUp()
    await ask((context) => {
      context.setTtl('1h')
      return 'long'
    })
    passes(tide, 59 * 60_000)
    expect(cache.peek('k')).toBe('long')
    passes(tide, 2 * 60_000)
    expect(cache.peek('k')).toBeUndefined()
  })

  test('tags that only the load reveals: the value sinks by them, beside those that were known', async () => {
    const { tide, cache, ask } = setUp()
    const load = (context: LoadContext) => {
      context.setTags(['brand:7'])
      return 'v'
    }
    for (const tag of ['brand:7', 't']) {
      await ask(load)
      expect(cache.peek('k')).toBe('v')
      tide.change(tag)
      expect(cache.peek('k')).toBeUndefined()
    }
  })

  test.each(['-1s', 'soon'])('a ttl of %s fails the load and says which word was bad', async (ttl) => {
    const { ask } = setUp({ grace: 0 })
    await expect(
      ask((context) => {
        context.setTtl(ttl)
        return 1
      }),
    ).rejects.toThrow(/^setTtl: /)
  })

  test('a validator past its bound fails the load', async () => {
    const { ask } = setUp({ grace: 0 })
    await expect(ask((context) => context.setValidator('x'.repeat(1_025)))).rejects.toThrow(
      /setValidator: 1025/,
    )
  })
})

describe('ttl', () => {
  test("'afloat': a value is held until a change touches it, however long that takes", async () => {
    const { tide, cache, ask } = setUp({ ttl: 'afloat' })
    await ask(() => 'v')
    passes(tide, 10 * 365 * 24 * 3_600_000)
    expect(cache.peek('k')).toBe('v')
    tide.change('t')
    expect(cache.peek('k')).toBeUndefined()
  })

  test('jitter cuts it by up to its share, never lengthens it', async () => {
    const ends = async (random: number) => {
      const tide = handLog()
      const cache = createCache({
        follow: tide,
        namespace: 'n',
        policy: { ttl: 100_000, jitter: 0.2 },
        random: () => random,
      })
      const answer = await cache.read({ key: 'k', load: () => 1 })
      return answer.ttlLeftMs
    }
    expect(await ends(0)).toBe(100_000)
    expect(await ends(0.5)).toBe(90_000)
    expect(await ends(0.999)).toBeCloseTo(80_020)
  })

  test.each([{ jitter: 1.5 }, { jitter: -1 }, { beta: Number.NaN }, { beta: 101 }])(
    '%o is refused by name',
    (policy) => {
      expect(() => setUp(policy)).toThrow(new RegExp(`^${Object.keys(policy)[0]!}: `))
    },
  )
})

import { eventually, redisSpace } from '@tidemark/testkit'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import type { CacheOptions, EncryptionKey } from '../src/index.js'
import { createCache, createPrivateCache } from '../src/index.js'
import { gateway, handLog } from '../src/testing/index.js'
import { connectPatiently } from './real-redis.js'

const space = redisSpace()
let redis: Redis

beforeAll(async () => {
  redis = await connectPatiently(space.url)
})
afterAll(() => {
  redis.disconnect()
})

let namespaces = 0
const key = (id: string, fill: number): EncryptionKey => ({ id, key: Buffer.alloc(32, fill) })
const k1 = key('k1', 1)
const k2 = key('k2', 2)
const tags = ['product:42']

/** One namespace in Redis; each `process` has a memory of its own, so what another finds has come through Redis. */
const world = (options: Partial<CacheOptions> = {}) => {
  const namespace = `bytes${++namespaces}`
  const process = (more: Partial<CacheOptions> = {}) => {
    const cache = createCache({
      follow: handLog(),
      redis,
      prefix: space.prefix,
      namespace,
      policy: { ttl: '1m', maxLag: '1h' },
      ...options,
      ...more,
    })
    const get = (name: string, load: () => unknown = () => 'loaded again') =>
      cache.getOrSet<unknown>({ key: name, tags, load })
    return { cache, get }
  }
  const valueKeys = async () => (await redis.keys(`*${namespace}*`)).sort()
  /** Stored by one process, and where. */
  const stored = async (name: string, value: unknown, more: Partial<CacheOptions> = {}) => {
    const before = await valueKeys()
    const { cache } = process(more)
    cache.set(name, value, { stamp: cache.stamp(), tags })
    let added: string[] = []
    await eventually(async () => {
      added = (await valueKeys()).filter((each) => !before.includes(each))
      return added.length === 1
    })
    return added[0]!
  }
  return { process, stored, valueKeys, namespace }
}

class Money {
  cents = 5
}

const rich = {
  at: new Date(5),
  never: new Date(NaN),
  big: 2n ** 200n,
  map: new Map<unknown, unknown>([[1, new Map([[{ a: 1 }, 'deep']])]]),
  set: new Set([1, 'a', null]),
  bytes: Buffer.from('abc'),
  floats: new Float64Array([1.5, NaN]),
  minusZero: -0,
  none: undefined,
  pattern: /a/gi,
  list: [undefined, null, NaN],
}

describe('codecs in Redis', () => {
  test.each([
    [null],
    [0],
    [-0],
    [''],
    [false],
    [NaN],
    [new Date(5)],
    [12n],
    [new Map([[1, 2]])],
    [new Set([1])],
    [Buffer.from('abc')],
    [new Uint8Array([1])],
    [/a/g],
    [new TypeError('no', { cause: 'why' })],
    [rich],
  ])('a value is the same from L1 and from L2: %o', async (value) => {
    const { process, stored } = world()
    await stored('k', value)
    const load = vi.fn()
    const { get } = process()
    const fromL2 = await get('k', load)
    expect(fromL2).toStrictEqual(value)
    expect(await get('k', load)).toBe(fromL2)
    expect(load).not.toHaveBeenCalled()
  })

  test('`__proto__` in a value is a name, in every process', async () => {
    const { process, stored } = world()
    await stored('k', JSON.parse('{"__proto__":{"isAdmin":true}}'))
    const value = (await process().get('k')) as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(value['isAdmin']).toBeUndefined()
  })

  test.each<[string, CacheOptions['codec'], unknown]>([
    ['msgpack', 'msgpack', { load: () => 1 }],
    ['msgpack', 'msgpack', new Money()],
    ['json', 'json', { at: new Date() }],
    ['json', 'json', [undefined]],
    ['bytes', 'bytes', 'text'],
  ])('what %s cannot give back stays in L1 alone, and is counted', async (_name, codec, value) => {
    const { process, valueKeys } = world({ codec })
    const { cache, get } = process()
    expect(await get('k', () => value)).toBe(value)
    expect(await get('k')).toBe(value)
    expect(cache.stats().encodeFailures).toBe(1)
    await eventually(async () => (await valueKeys()).length === 0)
  })

  test('json lies in Redis as text', async () => {
    const { process, stored } = world({ codec: 'json' })
    const at = await stored('k', { id: 42 })
    expect((await redis.get(at))?.endsWith('{"id":42}')).toBe(true)
    expect(await process().get('k')).toEqual({ id: 42 })
  })
})

describe('compression in Redis', () => {
  const large = { text: 'the tide comes in, the tide goes out; '.repeat(3_000) }
  const middling = { text: 'the tide comes in, the tide goes out; '.repeat(100) }

  test.each([['large', large, 10_000] as const, ['middling', middling, 1_000] as const])(
    'a %s value is smaller there, and the same in every process, whatever that one writes',
    async (_name, value, maxBytes) => {
      const { process, stored } = world()
      const at = await stored('k', value, { compress: {} })
      expect(await redis.strlen(at)).toBeLessThan(maxBytes)
      for (const compress of [false, { level: 9 }] as const)
        expect(await process({ compress }).get('k')).toEqual(value)
    },
  )

  test('a small value is stored as it is', async () => {
    const { stored } = world({ compress: { minBytes: 10_000 } })
    expect((await redis.getBuffer(await stored('k', middling)))!.includes('the tide goes out')).toBe(true)
  })

  test('a bomb is a miss, is counted, and is stored over', async () => {
    const { process, stored } = world({ compress: {} })
    for (const value of [large, middling]) {
      const at = await stored('k', value)
      const bytes = (await redis.getBuffer(at))!
      const rawBytesAt = bytes.indexOf(tags[0]!) + tags[0]!.length
      expect(bytes.readUInt32BE(rawBytesAt)).toBeGreaterThan(3_000)
      bytes.writeUInt32BE(2_000, rawBytesAt)
      await redis.set(at, bytes)
      const { cache, get } = process()
      expect(await get('k')).toBe('loaded again')
      expect(cache.stats()).toMatchObject({ decodeFailures: 2, loads: 1 })
      await eventually(async () => (await process().get('k', () => 'not stored')) === 'loaded again')
      await redis.del(at)
    }
  })
})

describe('encryption in Redis', () => {
  test('neither value nor name can be read there, and every process with the keys reads both', async () => {
    const names = Buffer.alloc(32, 5)
    const { process, stored, namespace } = world({ encrypt: { keys: [k1], names } })
    const at = await stored('ada@example.com', { secret: 'hunter2' })
    expect(at).not.toContain('@')
    expect(at).toContain(namespace)
    expect((await redis.getBuffer(at))!.includes('hunter2')).toBe(false)
    expect(await process().get('ada@example.com')).toEqual({ secret: 'hunter2' })
    const other = process({ encrypt: { keys: [k1], names: Buffer.alloc(32, 6) } })
    expect(await other.get('ada@example.com')).toBe('loaded again')
    expect(other.cache.stats().decodeFailures).toBe(0)
  })

  test('the lease, too, stands under the hashed name', async () => {
    const { process, valueKeys } = world({ encrypt: { keys: [k1], names: Buffer.alloc(32, 5) } })
    const origin = gateway<string>()
    const loading = process().get('ada@example.com', () => origin.promise)
    await eventually(async () => (await valueKeys()).length === 1)
    const [lease] = await valueKeys()
    expect(lease).not.toContain('@')
    origin.open('v')
    expect(await loading).toBe('v')
    await eventually(async () => (await valueKeys()).every((each) => each !== lease))
  })

  test('neither key nor owner can be read in the log or beside the value', async () => {
    const tide = handLog()
    const encrypt = { keys: [k1], names: Buffer.alloc(32, 5) }
    const options = { follow: tide, redis, prefix: space.prefix, namespace: `bytes${++namespaces}`, encrypt }
    const baskets = createPrivateCache({ ...options, policy: { ttl: '1m', maxLag: '1h' } })
    const ada = baskets.for('ada@example.com')
    expect(await ada.getOrSet({ key: 'current', load: () => 'of ada' })).toBe('of ada')
    let stored: string[] = []
    await eventually(async () => {
      stored = (await redis.keys(`*${options.namespace}*`)).filter((at) => at.endsWith(':v'))
      return stored.length === 1
    })
    expect(stored[0]).not.toContain('@')
    expect((await redis.getBuffer(stored[0]!))!.includes('example.com')).toBe(false)
    await ada.delete('current')
    await ada.clear()
    expect(tide.log).toHaveLength(2)
    expect(JSON.stringify(tide.log)).not.toContain('example.com')
    tide.prove()
    expect(await ada.getOrSet({ key: 'current', load: () => 'anew' })).toBe('anew')
  })

  test('a value that is moved to another key is a miss there, and counted', async () => {
    const { process, stored } = world({ encrypt: { keys: [k1] } })
    const ada = await stored('ada', 'of ada')
    const bob = await stored('bob', 'of bob')
    const [ofAda, ofBob] = [(await redis.getBuffer(ada))!, (await redis.getBuffer(bob))!]
    await redis.mset(ada, ofBob, bob, ofAda)
    const { cache, get } = process()
    expect(await get('ada', () => 'fresh ada')).toBe('fresh ada')
    expect(await get('bob', () => 'fresh bob')).toBe('fresh bob')
    expect(cache.stats()).toMatchObject({ hitsL2: 0, decodeFailures: 4 })
  })

  test('nor can it be moved to another namespace', async () => {
    const [a, b] = [world({ encrypt: { keys: [k1] } }), world({ encrypt: { keys: [k1] } })]
    const ofA = (await redis.getBuffer(await a.stored('k', 'of a')))!
    await redis.set(await b.stored('k', 'of b'), ofA)
    expect(await b.process().get('k')).toBe('loaded again')
  })

  test('a value that is given another tidemark, or other tags, is a miss', async () => {
    const { process, stored } = world({ encrypt: { keys: [k1] } })
    const forgeries: [string, (bytes: Buffer) => unknown][] = [
      ['restamped', (bytes) => bytes.writeUInt32BE(1_000_000, 12)],
      ['retagged', (bytes) => bytes.write('product:43', bytes.indexOf(tags[0]!))],
      ['living longer', (bytes) => bytes.writeUIntBE(2 ** 48 - 1, 30, 6)],
    ]
    for (const [name, forge] of forgeries) {
      const at = await stored(name, 'v')
      const bytes = (await redis.getBuffer(at))!
      forge(bytes)
      await redis.set(at, bytes)
      const { cache, get } = process()
      expect(await get(name)).toBe('loaded again')
      expect(cache.stats()).toMatchObject({ hitsL2: 0, sunk: 0, decodeFailures: 2 })
    }
  })

  test('a value in the clear is a miss where values are encrypted', async () => {
    const { process, stored } = world()
    await stored('k', 'planted')
    const { cache, get } = process({ encrypt: { keys: [k1] } })
    expect(await get('k')).toBe('loaded again')
    expect(cache.stats().decodeFailures).toBe(2)
  })

  test('keys change without a miss: added, then first, then the old one dropped', async () => {
    const { process, stored } = world()
    await stored('old', 'v1', { encrypt: { keys: [k1, k2] } })
    await stored('new', 'v2', { encrypt: { keys: [k2, k1] } })
    for (const keys of [
      [k1, k2],
      [k2, k1],
    ]) {
      const { get } = process({ encrypt: { keys } })
      expect(await get('old')).toBe('v1')
      expect(await get('new')).toBe('v2')
    }
    const { cache, get } = process({ encrypt: { keys: [k2] } })
    expect(await get('new')).toBe('v2')
    expect(await get('old', () => 'v3')).toBe('v3')
    expect(cache.stats().decodeFailures).toBe(2)
  })

  test('compressed and encrypted', async () => {
    const { process, stored } = world({ compress: {}, encrypt: { keys: [k1] } })
    const value = { text: 'the tide comes in; '.repeat(10_000) }
    expect(await redis.strlen(await stored('k', value))).toBeLessThan(10_000)
    expect(await process({ compress: false }).get('k')).toEqual(value)
  })

  test('a key that is not one is refused when the cache is made', () => {
    expect(() => world({ encrypt: { keys: [{ id: 'k', key: Buffer.from('short') }] } }).process()).toThrow(
      'encrypt.keys[0].key: 5 bytes given, 32 are needed',
    )
  })
})

describe('bytes that nobody wrote', () => {
  test.each<[string, Partial<CacheOptions>]>([
    ['plain', {}],
    ['compressed', { compress: { minBytes: 0 } }],
    ['encrypted', { compress: { minBytes: 0 }, encrypt: { keys: [k1] } }],
  ])('%s: cut, turned, lengthened or random, they never throw at the caller', async (name, options) => {
    const { process, stored } = world(options)
    const at = await stored('k', { ...rich, text: 'tide '.repeat(100) })
    const good = (await redis.getBuffer(at))!
    const bad = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.nat({ max: good.length - 1 }).map((length) => good.subarray(0, length)),
      fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([i, flip]) => {
        const bytes = Buffer.from(good)
        bytes[i]! ^= flip
        return bytes
      }),
      fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Buffer.concat([good, more])),
    )
    await fc.assert(
      fc.asyncProperty(bad, async (bytes) => {
        await redis.set(at, bytes)
        const { cache, get } = process()
        const value = await get('k')
        // In the clear a turned bit may make another value, or an older stamp; under lock it makes none.
        if (name === 'encrypted') expect(value).toBe('loaded again')
        const { decodeFailures, hitsL2, sunk, expired, unproven } = cache.stats()
        expect(decodeFailures + hitsL2 + sunk + expired + unproven).toBeGreaterThan(0)
      }),
      { numRuns: 60 },
    )
  })
})

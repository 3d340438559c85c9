import { inspect } from 'node:util'

import { describe, expect, test } from 'vitest'

import { CacheError } from '../src/index.js'
import { Compressor } from '../src/l2/compress.js'
import type { EncryptionKey } from '../src/l2/encrypt.js'
import { Keyring } from '../src/l2/encrypt.js'
import type { Envelope } from '../src/l2/envelope.js'
import { keyNames } from '../src/l2/key-names.js'
import { Wrapper } from '../src/l2/wrapper.js'

const key = (id: string, fill: number): EncryptionKey => ({ id, key: Buffer.alloc(32, fill) })
const wrapperOf = (...keys: EncryptionKey[]): Wrapper =>
  new Wrapper(new Compressor(undefined), new Keyring(keys))
const sample: Envelope = {
  stamp: { epoch: { term: 3, nonce: 5 }, tidemark: 9 },
  codecId: 4,
  loadedAtMs: 1_000,
  expiresAtMs: 2_000,
  staleUntilMs: 3_000,
  loadCostMs: 1,
  tags: ['product:42'],
  payload: Buffer.from('the secret'),
}
const k1 = key('k1', 1)
const k2 = key('k2', 2)

describe('encryption', () => {
  test('what is locked comes back under its own key, and does not lie in Redis', () => {
    const bytes = wrapperOf(k1).wrap('key', sample) as Buffer
    expect(bytes.includes('secret')).toBe(false)
    expect(wrapperOf(k1).unwrap('key', bytes)).toEqual(sample)
  })

  test('the same value is never the same bytes', () => {
    const wrapper = wrapperOf(k1)
    const made = Array.from({ length: 100 }, () => (wrapper.wrap('key', sample) as Buffer).toString('hex'))
    expect(new Set(made).size).toBe(100)
  })

  test('the Redis key is associated data: a value is no value under another', () => {
    const bytes = wrapperOf(k1).wrap('key', sample) as Buffer
    for (const other of ['key2', 'ke', '', 'keY']) expect(wrapperOf(k1).unwrap(other, bytes)).toBeUndefined()
  })

  test('the head is associated data: no bit of stamp, times, codec, key id or tags can be turned, nor of the rest', () => {
    const bytes = wrapperOf(k1).wrap('key', sample) as Buffer
    const wrapper = wrapperOf(k1, key('k0', 1), key('k3', 1))
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 1; bit < 256; bit *= 2) {
        const turned = Buffer.from(bytes)
        turned[at]! ^= bit
        expect(wrapper.unwrap('key', turned)).toBeUndefined()
      }
  })

  test('the first key encrypts, all decrypt; what an unknown one locked is no value', () => {
    const old = wrapperOf(k1).wrap('key', sample) as Buffer
    const rotated = wrapperOf(k2, k1)
    expect(rotated.unwrap('key', old)).toEqual(sample)
    const fresh = rotated.wrap('key', sample) as Buffer
    expect(wrapperOf(k2).unwrap('key', fresh)).toEqual(sample)
    expect(wrapperOf(k1).unwrap('key', fresh)).toBeUndefined()
    expect(wrapperOf(key('k2', 3)).unwrap('key', fresh)).toBeUndefined()
  })

  test('one in the clear is no value where there are keys, nor a locked one where there are none', () => {
    const plain = new Wrapper(new Compressor(undefined), undefined)
    expect(wrapperOf(k1).unwrap('key', plain.wrap('key', sample) as Buffer)).toBeUndefined()
    expect(plain.unwrap('key', wrapperOf(k1).wrap('key', sample) as Buffer)).toBeUndefined()
  })

  test('compressed first: bytes that are locked are noise', () => {
    const wrapper = new Wrapper(new Compressor({ minBytes: 0 }), new Keyring([k1]))
    const payload = Buffer.alloc(10_000, 'a')
    const bytes = wrapper.wrap('key', { ...sample, payload }) as Buffer
    expect(bytes.length).toBeLessThan(500)
    expect(wrapper.unwrap('key', bytes)).toMatchObject({ payload })
  })

  test('the key is copied: what becomes of the caller`s buffer does not matter', () => {
    const own = Buffer.alloc(32, 1)
    const wrapper = wrapperOf({ id: 'k1', key: own })
    own.fill(0)
    expect(wrapper.unwrap('key', wrapperOf(k1).wrap('key', sample) as Buffer)).toEqual(sample)
  })

  test.each<[string, unknown[], RegExp]>([
    ['no keys', [], /^encrypt\.keys: none given$/],
    [
      'a short key',
      [{ id: 'k', key: Buffer.from('hunter2') }],
      /^encrypt\.keys\[0\]\.key: 7 bytes given, 32/,
    ],
    ['a long one', [k1, { id: 'k', key: Buffer.alloc(64, 'hunter2') }], /^encrypt\.keys\[1\]\.key: 64 bytes/],
    ['text for a key', [{ id: 'k', key: 'hunter2'.repeat(5) }], /^encrypt\.keys\[0\]\.key: is not a Buffer$/],
    ['no id', [{ id: '', key: k1.key }], /^encrypt\.keys\[0\]\.id/],
    ['an id that is not one', [{ id: 'k 1', key: k1.key }], /^encrypt\.keys\[0\]\.id/],
    ['an id twice', [k1, k1], /^encrypt\.keys\[1\]\.id: "k1" stands there twice$/],
  ])('%s: the option is named, and nothing of a key is shown', (_name, keys, message) => {
    let error: unknown
    try {
      new Keyring(keys as EncryptionKey[])
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(CacheError)
    expect(error).toMatchObject({
      code: 'cache.bad-option',
      message: expect.stringMatching(message) as string,
    })
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })

  test('a keyring that is printed shows nothing of its keys', () => {
    const shown = inspect(new Keyring([{ id: 'k', key: Buffer.alloc(32, 'hunter2') }]), {
      depth: 9,
      showHidden: true,
    })
    expect(shown).not.toContain('hunter2')
    expect(shown).not.toContain('68 75 6e')
  })
})

describe('names of keys', () => {
  const secret = Buffer.alloc(32, 5)

  test('without a secret they are what they are', () => {
    expect(keyNames('n')('user:ada@example.com')).toBe('user:ada@example.com')
  })

  test('with one they are 22 letters, the same in every process, and others with another secret or namespace', () => {
    const name = keyNames('n', secret)('user:ada@example.com')
    expect(name).toMatch(/^[\w-]{22}$/)
    expect(name).toBe('A6-CtG5r3YLfm-itx3FDWA')
    expect(keyNames('n', secret)('user:ada@example.com')).toBe(name)
    expect(keyNames('n', Buffer.alloc(32, 6))('user:ada@example.com')).not.toBe(name)
    expect(keyNames('m', secret)('user:ada@example.com')).not.toBe(name)
  })

  test('a short secret is refused, and not shown', () => {
    expect(() => keyNames('n', Buffer.from('hunter2'))).toThrow(/^encrypt\.names: 7 bytes given, at least 32/)
    expect(() => keyNames('n', 'hunter2'.repeat(5) as never)).toThrow(/^encrypt\.names: is not a Buffer$/)
  })
})

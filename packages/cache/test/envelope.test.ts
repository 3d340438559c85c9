import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Envelope, Wrapping } from '../src/l2/envelope.js'
import { decodeEnvelope, encodeEnvelope } from '../src/l2/envelope.js'

const sample: Envelope = {
  stamp: { epoch: { term: 3, nonce: 0x0102030405 }, tidemark: 2 ** 33 + 5 },
  codecId: 1,
  loadedAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_600_000,
  staleUntilMs: 1_700_004_200_000,
  loadCostMs: 1.5,
  tags: ['product:42', 'größe'],
  payload: Buffer.from('{"id":42}'),
}

const uint48 = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const envelopes: fc.Arbitrary<Envelope> = fc.record({
  stamp: fc.record({
    epoch: fc.record({ term: fc.integer({ min: 0, max: 0xffffffff }), nonce: uint48 }),
    tidemark: fc.maxSafeNat(),
  }),
  codecId: fc.integer({ min: 0, max: 255 }),
  loadedAtMs: uint48,
  expiresAtMs: uint48,
  staleUntilMs: uint48,
  loadCostMs: fc.integer({ min: 0, max: 4_000_000 }).map((us) => us / 1_000),
  // Lone surrogates are no text: UTF-8 cannot carry them.
  tags: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }),
  validator: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: undefined }),
  payload: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
})

const wrappings: fc.Arbitrary<Wrapping> = fc.record({
  rawBytes: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
  keyId: fc.option(fc.stringMatching(/^[\w.-]{1,32}$/), { nil: undefined }),
})

describe('envelope v1', () => {
  test('its bytes are those that other versions of this package read', () => {
    expect(encodeEnvelope(sample)?.toString('hex')).toBe(
      '544d' +
        '01' +
        '00' +
        '00000003' +
        '0000000200000005' +
        '000102030405' +
        '01' +
        '00' +
        '018bcfe56800' +
        '018bcfee8fc0' +
        '018bd0257e40' +
        '000005dc' +
        '0002' +
        '00000011' +
        '00000009' +
        '000a' +
        '0005' +
        '70726f647563743a3432' +
        '6772c3b6c39f65' +
        '7b226964223a34327d',
    )
  })

  test('what is encoded comes back', () => {
    fc.assert(
      fc.property(envelopes, wrappings, (envelope, wrapping) => {
        const bytes = encodeEnvelope(envelope, wrapping)!
        const { head, ...read } = decodeEnvelope(bytes)!
        expect(read).toEqual({ ...envelope, ...wrapping })
        const isLocked = wrapping.keyId !== undefined
        expect(isLocked ? Buffer.concat([head, envelope.payload]) : head).toEqual(
          isLocked ? bytes : Buffer.alloc(0),
        )
      }),
    )
  })

  test('the tags that a caller expects are taken for the stored ones only if they are', () => {
    const words = fc.array(fc.constantFrom('', 'a', 'ab', 'b', 'ba', 'é', '\u0000'), { maxLength: 3 })
    fc.assert(
      fc.property(words, words, (tags, expected) => {
        const read = decodeEnvelope(encodeEnvelope({ ...sample, tags })!, expected)!
        expect(read.tags).toEqual(tags)
      }),
    )
    const tags = ['product:42', 'product!all']
    expect(decodeEnvelope(encodeEnvelope({ ...sample, tags })!, tags)!.tags).toBe(tags)
  })

  test('a truncated or lengthened envelope is none', () => {
    const bytes = encodeEnvelope(sample)!
    for (let length = 0; length < bytes.length; length++)
      expect(decodeEnvelope(bytes.subarray(0, length))).toBeUndefined()
    expect(decodeEnvelope(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined()
  })

  test('whatever the bytes, it never throws, and what it gives is in range', () => {
    const isInRange = (bytes: Buffer): void => {
      const envelope = decodeEnvelope(bytes)
      if (envelope === undefined) return
      expect(Number.isSafeInteger(envelope.stamp.tidemark)).toBe(true)
      expect(encodeEnvelope(envelope)).toBeDefined()
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        isInRange(Buffer.from(bytes))
      }),
    )
    fc.assert(
      fc.property(envelopes, wrappings, fc.nat(), fc.nat({ max: 255 }), (envelope, wrapping, at, byte) => {
        const bytes = encodeEnvelope(envelope, wrapping)!
        bytes[at % bytes.length] = byte
        isInRange(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  test('an envelope of another make or version, or with an unknown flag, is not read', () => {
    for (const at of [0, 1, 2, 3, 23]) {
      const bytes = encodeEnvelope(sample)!
      bytes[at] = 9
      expect(decodeEnvelope(bytes)).toBeUndefined()
    }
  })

  test('encrypted and a key id go together', () => {
    const withoutId = encodeEnvelope(sample)!
    withoutId[3] = 2
    expect(decodeEnvelope(withoutId)).toBeUndefined()
    const withoutFlag = encodeEnvelope(sample, { keyId: 'k1' })!
    expect(decodeEnvelope(withoutFlag)).toMatchObject({ keyId: 'k1' })
    withoutFlag[3] = 0
    expect(decodeEnvelope(withoutFlag)).toBeUndefined()
  })

  test('whatever has been done to the payload, term and tidemark lie where the store script looks', () => {
    const plain = encodeEnvelope(sample)!
    const wrapped = encodeEnvelope(sample, { keyId: 'k1', rawBytes: 100 })!
    expect(wrapped.subarray(4, 16)).toEqual(plain.subarray(4, 16))
    expect(wrapped.subarray(0, 3)).toEqual(plain.subarray(0, 3))
  })

  test('more tags than it can hold are refused, not cut', () => {
    expect(encodeEnvelope({ ...sample, tags: Array.from({ length: 65_536 }, () => 't') })).toBeUndefined()
    expect(encodeEnvelope({ ...sample, tags: ['t'.repeat(65_536)] })).toBeUndefined()
  })
})

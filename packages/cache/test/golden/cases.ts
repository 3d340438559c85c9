/**
 * One file for each way in which a value has ever lain in Redis. A file is written once and read for ever: a new format
 * adds files, and changes none. `pnpm exec tsx packages/cache/test/golden/write.ts` writes those that are missing.
 */

import type { Codec } from '../../src/l2/codec.js'
import { bytesCodec } from '../../src/l2/bytes-codec.js'
import { Compressor } from '../../src/l2/compress.js'
import { Keyring } from '../../src/l2/encrypt.js'
import type { Envelope } from '../../src/l2/envelope.js'
import { jsonCodec } from '../../src/l2/json-codec.js'
import { msgpackCodec } from '../../src/l2/msgpack-codec.js'
import { Wrapper } from '../../src/l2/wrapper.js'

export interface GoldenCase {
  readonly file: string
  readonly codec: Codec
  readonly value: unknown
  readonly wrapper: Wrapper
  readonly validator?: string
  /** Another version of zlib may write other bytes for the same text: it need only read these. */
  readonly isDeflated: boolean
}

/** The Redis key that the encrypted ones are bound to. */
export const goldenKey = 'tidemark:golden:k'

export const goldenHead: Omit<Envelope, 'codecId' | 'payload'> = {
  stamp: { epoch: { term: 3, nonce: 0x0102030405 }, tidemark: 2 ** 33 + 5 },
  loadedAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_600_000,
  staleUntilMs: 1_700_004_200_000,
  loadCostMs: 1.5,
  tags: ['product:42', 'größe'],
}

const product = { id: 42, name: 'Gerät', price: 12.5, tags: ['a', 'b'], note: null, inStock: true }

const allKinds = {
  ...product,
  at: new Date(1_700_000_000_123),
  never: new Date(NaN),
  before: new Date(-1),
  minusZero: -0,
  notANumber: NaN,
  small: -5n,
  big: 2n ** 100n,
  nothing: undefined,
  half: '\ud800',
  map: new Map<unknown, unknown>([
    [1, 'one'],
    [{ a: 1 }, new Map([['k', new Set([1, -0n])]])],
  ]),
  buffer: Buffer.from('buffer'),
  bytes: [
    new Uint8Array([1, 2]).buffer,
    new DataView(new Uint8Array([1, 2]).buffer),
    new Uint8Array([1, 2]),
    new Uint8ClampedArray([1, 2]),
    new Int8Array([1, -2]),
    new Uint16Array([1, 2]),
    new Int16Array([1, -2]),
    new Uint32Array([1, 2]),
    new Int32Array([1, -2]),
    new Float32Array([1.5]),
    new Float64Array([1.5]),
    new BigUint64Array([1n]),
    new BigInt64Array([-1n]),
  ],
  proto: JSON.parse('{"__proto__":{"a":1}}') as unknown,
  bare: Object.assign(Object.create(null) as object, { a: 1 }),
  pattern: /a+(b)?/giu,
  errors: [
    Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E_CODE' }),
    new AggregateError([new RangeError('one')], 'many'),
  ],
}

const plain = new Wrapper(new Compressor(undefined), undefined)
const keyring = new Keyring([{ id: 'k1', key: Buffer.alloc(32, 7) }], () => Buffer.alloc(12, 9))
const compress = { minBytes: 0, level: 1 }
const long = { text: 'the tide comes in, the tide goes out; '.repeat(20) }
const msgpack = msgpackCodec()

export const goldenCases: readonly GoldenCase[] = [
  { file: 'v1-json.bin', codec: jsonCodec, value: product, wrapper: plain, isDeflated: false },
  { file: 'v1-msgpack.bin', codec: msgpack, value: product, wrapper: plain, isDeflated: false },
  { file: 'v1-msgpack-dressed.bin', codec: msgpack, value: allKinds, wrapper: plain, isDeflated: false },
  { file: 'v1-bytes.bin', codec: bytesCodec, value: Buffer.from('abc'), wrapper: plain, isDeflated: false },
  { file: 'v1-bytes-null.bin', codec: bytesCodec, value: null, wrapper: plain, isDeflated: false },
  {
    file: 'v1-compressed.bin',
    codec: msgpack,
    value: long,
    wrapper: new Wrapper(new Compressor(compress), undefined),
    isDeflated: true,
  },
  {
    file: 'v1-encrypted.bin',
    codec: msgpack,
    value: product,
    wrapper: new Wrapper(new Compressor(undefined), keyring),
    isDeflated: false,
  },
  {
    file: 'v1-compressed-encrypted.bin',
    codec: msgpack,
    value: long,
    wrapper: new Wrapper(new Compressor(compress), keyring),
    isDeflated: true,
  },
  {
    file: 'v1-validator.bin',
    codec: msgpack,
    value: product,
    wrapper: new Wrapper(new Compressor(undefined), keyring),
    validator: 'W/"größe-7"',
    isDeflated: false,
  },
]

/** What today's writer makes of it. */
export function writeGolden({ codec, value, wrapper, validator }: GoldenCase): Buffer {
  const bytes = wrapper.wrap(goldenKey, {
    ...goldenHead,
    validator,
    codecId: codec.id,
    payload: codec.encode(value),
  })
  if (!Buffer.isBuffer(bytes)) throw new Error('golden values are small, and fit the format')
  return bytes
}

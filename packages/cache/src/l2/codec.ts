import { Packr } from 'msgpackr'

import { CacheError } from '../cache-error.js'

/** How values become bytes in Redis. The id stands in each envelope, so that a cache never decodes another's bytes. */
export interface Codec<T = unknown> {
  /** 1 to 15 are ours; your own: 16 to 255, never used again for another format. */
  readonly id: number
  /** May throw: the value then stays in L1 alone. */
  encode(value: T): Buffer
  /** May throw: a miss. Must copy what it keeps of `payload`. */
  decode(payload: Buffer): T
}

const firstFreeId = 16

/** The default: what is JSON goes in and comes out; a Date comes out as text. */
export const jsonCodec: Codec = {
  id: 1,
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (payload): unknown => JSON.parse(payload.toString('utf8')),
}

/** Dates, Sets and typed arrays survive; a Map comes out as an object. No records: reading those generates code. */
export function msgpackCodec(): Codec {
  const packr = new Packr({ useRecords: false, moreTypes: true })
  return {
    id: 2,
    encode: (value) => packr.pack(value),
    decode: (payload): unknown => packr.unpack(payload),
  }
}

const absent = 0
const present = 1

/** Buffers as they are; `null` too. */
export const bytesCodec: Codec = {
  id: 3,
  encode: (value) => {
    if (value === null) return Buffer.of(absent)
    if (!Buffer.isBuffer(value)) throw new TypeError('the bytes codec stores a Buffer or null')
    return Buffer.concat([Buffer.of(present), value])
  },
  decode: (payload) => {
    if (payload[0] === absent && payload.length === 1) return null
    if (payload[0] !== present) throw new TypeError('not written by the bytes codec')
    return Buffer.from(payload.subarray(1))
  },
}

/** `'json'`, `'msgpack'`, `'bytes'`, or a codec of your own. */
export type CodecChoice = 'json' | 'msgpack' | 'bytes' | Codec

/** @throws CacheError 'cache.bad-option' for an id that is not free */
export function chooseCodec(choice: CodecChoice): Codec {
  switch (choice) {
    case 'json':
      return jsonCodec
    case 'msgpack':
      return msgpackCodec()
    case 'bytes':
      return bytesCodec
  }
  if (!Number.isInteger(choice.id) || choice.id < firstFreeId || choice.id > 255)
    throw new CacheError('cache.bad-option', `codec: id ${choice.id} is not between ${firstFreeId} and 255`)
  return choice
}

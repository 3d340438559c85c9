import { CacheError } from '../cache-error.js'
import { bytesCodec } from './bytes-codec.js'
import { jsonCodec } from './json-codec.js'
import { msgpackCodec } from './msgpack-codec.js'

/**
 * How values become bytes in Redis. The id stands in each envelope, so that a cache never decodes another's bytes.
 *
 * The law of a codec: what `decode` gives equals what `encode` was given, or `encode` throws. A value then stays in L1
 * alone, which `stats().encodeFailures` counts; otherwise a caller would be answered differently by L1 and by L2.
 */
export interface Codec<T = unknown> {
  /** 1 to 15 are ours; your own: 16 to 255, never used again for another format. */
  readonly id: number
  /** May throw: the value then stays in L1 alone. */
  encode(value: T): Buffer
  /** May throw: a miss. Must copy what it keeps of `payload`. */
  decode(payload: Buffer): T
}

const firstFreeId = 16

/**
 * `'msgpack'`: what JavaScript data is made of, Dates, Maps, Sets, BigInts, bytes and errors among it (the default).
 * `'json'`: JSON values alone, readable in `redis-cli`. `'bytes'`: a Buffer or null. Or a codec of your own.
 */
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

import { CacheError } from '../cache-error.js'
import { bytesCodec } from './bytes-codec.js'
import type { Codec } from './codec.js'
import { jsonCodec } from './json-codec.js'
import { msgpackCodec } from './msgpack-codec.js'

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

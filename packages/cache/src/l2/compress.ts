/**
 * Payloads made smaller with raw deflate (decision 9 has the measurements).
 *
 * A payload is stored compressed only if that makes it smaller. Small ones are done at once, since a thread of the pool
 * costs this one more than the work; larger ones off the event loop, as many at a time as `maxAway`: past that a payload
 * is stored as it is, and one that was read is inflated here.
 *
 * What is read is untrusted. Its head says how long it was, and that is the bound: no more is ever inflated, no more is
 * set aside than these bytes could become, and nothing that says more than `maxRawBytes` is looked at.
 */

import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'
import { promisify } from 'node:util'

import { CacheError } from '../cache-error.js'

/**
 * Off unless asked for: it costs the event loop more than Redis and the network gain, but for large values.
 *
 * With `encrypt`, think first. How long a stored value is tells how well it compressed, and that tells what is in it:
 * whoever can put text of his own beside a secret in one value, and see lengths in Redis, can guess the secret piece by
 * piece, as CRIME and BREACH did to TLS.
 */
export interface CompressOptions {
  /** Smaller payloads are stored as they are. Default 1,024. */
  readonly minBytes?: number
  /** 1, quick (the default), to 9, which takes several times as long for a tenth less. */
  readonly level?: number
}

/** Larger payloads are never compressed, and nothing is inflated past this. */
export const maxRawBytes = 32 * 1024 * 1024
/** What deflate can do at best: whoever says more is lying. */
const maxRatio = 1_032
const maxDeflateHereBytes = 16 * 1024
const maxInflateHereBytes = 64 * 1024
const maxAway = 32

const deflateAway = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw)
const inflateAway = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw)

export class Compressor {
  readonly #minBytes: number
  readonly #level: number
  #away = 0

  /** Without options it makes nothing smaller, and reads what others have. @throws CacheError 'cache.bad-option' */
  constructor(options: CompressOptions | undefined) {
    const { minBytes = 1_024, level = constants.Z_BEST_SPEED } = options ?? { minBytes: Infinity }
    if (options !== undefined && !(Number.isInteger(minBytes) && minBytes >= 0))
      throw new CacheError('cache.bad-option', `compress.minBytes: ${minBytes} is not a number of bytes`)
    if (!Number.isInteger(level) || level < 1 || level > 9)
      throw new CacheError('cache.bad-option', `compress.level: ${level} is not between 1 and 9`)
    this.#minBytes = minBytes
    this.#level = level
  }

  /** The smaller bytes; undefined: it is to be stored as it is. */
  deflate(payload: Buffer): Buffer | undefined | Promise<Buffer | undefined> {
    if (payload.length < this.#minBytes || payload.length > maxRawBytes) return undefined
    const smaller = (bytes: Buffer): Buffer | undefined => (bytes.length < payload.length ? bytes : undefined)
    const options = { level: this.#level, chunkSize: roomFor(payload.length) }
    if (payload.length <= maxDeflateHereBytes) return smaller(deflateRawSync(payload, options))
    if (this.#away >= maxAway) return undefined
    return this.#send(deflateAway(payload, options)).then(smaller, () => undefined)
  }

  /** What `payload` was; it was `rawBytes` long. @throws RangeError, also as a rejection, for anything else */
  inflate(payload: Buffer, rawBytes: number): Buffer | Promise<Buffer> {
    if (rawBytes > maxRawBytes || rawBytes > payload.length * maxRatio)
      throw new RangeError(`${rawBytes} bytes cannot have been compressed to these ${payload.length}`)
    const whole = (bytes: Buffer): Buffer => {
      if (bytes.length !== rawBytes) throw new RangeError('inflated to another length')
      return bytes
    }
    const options = { maxOutputLength: Math.max(1, rawBytes), chunkSize: roomFor(rawBytes) }
    if (rawBytes <= maxInflateHereBytes || this.#away >= maxAway)
      return whole(inflateRawSync(payload, options))
    return this.#send(inflateAway(payload, options)).then(whole)
  }

  async #send(work: Promise<Buffer>): Promise<Buffer> {
    this.#away++
    try {
      return await work
    } finally {
      this.#away--
    }
  }
}

/** One piece of output holds it all; zlib takes no less than 64. */
const roomFor = (bytes: number): number => Math.max(64, bytes)

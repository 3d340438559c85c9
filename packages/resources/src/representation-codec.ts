/**
 * A representation as bytes in L2: one byte with the length of the ETag, the ETag, the body. A hit needs no JSON parse.
 * The answer that there is no such row is null: one zero byte.
 *
 * Decoding copies: a slice of what the socket read would keep the whole read (64 KiB) alive for as long as the value
 * stays in L1.
 */
import type { Representation } from './representation.js'

/** A codec of the cache. Its id is never used again for another layout. */
export const representationCodec = {
  id: 16,

  encode(value: Representation | null): Buffer {
    if (value === null) return Buffer.of(0)
    const etag = Buffer.from(value.etag, 'latin1')
    return Buffer.concat([Buffer.of(etag.length), etag, value.body])
  },

  /** Throws RangeError for bytes that {@link representationCodec.encode} did not make. */
  decode(bytes: Buffer): Representation | null {
    if (bytes.length === 1 && bytes[0] === 0) return null
    const bodyStart = 1 + (bytes[0] ?? 0)
    if (bodyStart < 3 || bodyStart >= bytes.length || bytes[1] !== quote || bytes[bodyStart - 1] !== quote) {
      throw new RangeError('no representation in these bytes')
    }
    const body = Buffer.allocUnsafeSlow(bytes.length - bodyStart)
    bytes.copy(body, 0, bodyStart)
    return { etag: bytes.toString('latin1', 1, bodyStart), body }
  },
}

const quote = '"'.charCodeAt(0)

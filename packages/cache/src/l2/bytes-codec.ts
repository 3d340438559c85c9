import type { Codec } from './codec.js'

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

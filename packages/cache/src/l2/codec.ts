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

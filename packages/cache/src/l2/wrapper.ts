/**
 * An envelope as it goes to Redis and comes back: first compressed, then encrypted; first authenticated, then inflated,
 * then believed. Nothing is decided by a stamp, a tag or a time that has not been authenticated, where there are keys.
 */

import type { Compressor } from './compress.js'
import type { Keyring } from './encrypt.js'
import { lockBytes } from './encrypt.js'
import type { Envelope } from './envelope.js'
import { decodeEnvelope, encodeEnvelope, layOut } from './envelope.js'

export class Wrapper {
  readonly #compressor: Compressor
  readonly #keyring: Keyring | undefined

  constructor(compressor: Compressor, keyring: Keyring | undefined) {
    this.#compressor = compressor
    this.#keyring = keyring
  }

  /**
   * The bytes for `redisKey`; undefined where they do not fit the format, whatever it is that does not: what is not stored is
   * no reason to fail a call. A promise for a large payload alone, which does not reject.
   */
  wrap(redisKey: string, envelope: Envelope): Buffer | undefined | Promise<Buffer | undefined> {
    try {
      const deflated = this.#compressor.deflate(envelope.payload)
      if (!(deflated instanceof Promise)) return this.#lock(redisKey, envelope, deflated)
      return deflated.then((bytes) => this.#lock(redisKey, envelope, bytes)).catch(() => undefined)
    } catch {
      return undefined
    }
  }

  /** What `wrap` was given (`expectedTags`: see `decodeEnvelope`); undefined for any other bytes, and for those of another key. Never throws. */
  unwrap(
    redisKey: string,
    bytes: Buffer,
    expectedTags?: readonly string[],
  ): Envelope | undefined | Promise<Envelope | undefined> {
    try {
      const stored = decodeEnvelope(bytes, expectedTags)
      // Without keys there is nothing to read an encrypted one with; with keys, one in the clear is somebody else's.
      if (stored === undefined || (stored.keyId !== undefined) !== (this.#keyring !== undefined))
        return undefined
      if (stored.keyId === undefined && stored.rawBytes === undefined) return stored
      const { keyId, rawBytes, head, ...envelope } = stored
      const payload =
        keyId === undefined ? stored.payload : this.#keyring!.unlock(stored.payload, keyId, redisKey, head)
      if (rawBytes === undefined) return { ...envelope, payload }
      const raw = this.#compressor.inflate(payload, rawBytes)
      if (!(raw instanceof Promise)) return { ...envelope, payload: raw }
      return raw.then(
        (inflated) => ({ ...envelope, payload: inflated }),
        () => undefined,
      )
    } catch {
      return undefined
    }
  }

  #lock(redisKey: string, envelope: Envelope, deflated: Buffer | undefined): Buffer | undefined {
    const rawBytes = deflated && envelope.payload.length
    const payload = deflated ?? envelope.payload
    const keyring = this.#keyring
    if (keyring === undefined)
      return deflated === undefined
        ? encodeEnvelope(envelope)
        : encodeEnvelope({ ...envelope, payload }, { rawBytes })
    const laid = layOut(envelope, payload.length + lockBytes, { rawBytes, keyId: keyring.keyId })
    if (laid !== undefined) keyring.lock(payload, laid.payload, redisKey, laid.head)
    return laid?.bytes
  }
}

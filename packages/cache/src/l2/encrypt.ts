/**
 * Payloads under lock: AES-256-GCM, a fresh random nonce of 96 bits for each value.
 *
 * Authenticated with it, in the clear: the Redis key and the envelope's head. So whoever can write to Redis can neither
 * put a value under another key, nor under another namespace, nor give it another stamp, other tags or a longer life, nor
 * pass a payload in the clear off as one of ours: a cache with keys reads nothing else. What they can still do is delete,
 * and put back what stood under the same key before; that has its old stamp and sinks by it.
 *
 * The payload as stored: nonce (12), tag (16), text. Random nonces are safe for some 2^32 values a key (NIST SP 800-38D):
 * a namespace that stores a thousand values a second should change its key every month.
 */

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { CacheError } from '../cache-error.js'

export interface EncryptionKey {
  /** Stands in each envelope, in the clear: 1 to 32 letters, digits, `.`, `_` or `-`. Never reuse one for another key. */
  readonly id: string
  /** 32 bytes, from a random source. It is copied. */
  readonly key: Uint8Array
}

export interface EncryptOptions {
  /**
   * The first encrypts, all decrypt. To change keys: add the new one at the end everywhere, then put it first everywhere,
   * then drop the old one when the longest ttl and grace have passed. A value whose key is not here is a miss.
   */
  readonly keys: readonly EncryptionKey[]
  /**
   * 32 bytes or more: names of keys, and of the owners of a private namespace, go to Redis and into the log as HMACs, for
   * names that hold personal data (see key-names.ts). Another secret makes every value a miss. Tags of your own are not
   * hidden: keep personal data out of them.
   */
  readonly names?: Uint8Array
}

const cipher = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const idShape = /^[\w.-]{1,32}$/

/** By how much a payload grows. */
export const lockBytes = nonceBytes + tagBytes

export class Keyring {
  /** Of the key that encrypts. */
  readonly keyId: string
  readonly #keys = new Map<string, KeyObject>()
  readonly #newNonce: () => Buffer

  /** @throws CacheError 'cache.bad-option'; what it says holds nothing of any key */
  constructor(keys: readonly EncryptionKey[], newNonce = () => randomBytes(nonceBytes)) {
    this.#newNonce = newNonce
    for (const [i, { id, key }] of keys.entries()) {
      if (typeof id !== 'string' || !idShape.test(id))
        throw bad(`keys[${i}].id: is not 1 to 32 letters, digits, '.', '_' or '-'`)
      if (this.#keys.has(id)) throw bad(`keys[${i}].id: "${id}" stands there twice`)
      if (!(key instanceof Uint8Array)) throw bad(`keys[${i}].key: is not a Buffer`)
      if (key.length !== keyBytes)
        throw bad(`keys[${i}].key: ${key.length} bytes given, ${keyBytes} are needed`)
      this.#keys.set(id, createSecretKey(key))
    }
    const first = keys[0]
    if (first === undefined) throw bad('keys: none given')
    this.keyId = first.id
  }

  /** Writes `payload`, under lock, into `room`, which is longer by `lockBytes`. */
  lock(payload: Buffer, room: Buffer, redisKey: string, head: Buffer): void {
    const nonce = this.#newNonce()
    const work = createCipheriv(cipher, this.#keys.get(this.keyId)!, nonce, { authTagLength: tagBytes })
    work.setAAD(bound(redisKey, head))
    room.set(nonce)
    room.set(work.update(payload), lockBytes)
    work.final()
    room.set(work.getAuthTag(), nonceBytes)
  }

  /** @throws where the key is not known, or anything is not as it was locked */
  unlock(locked: Buffer, keyId: string, redisKey: string, head: Buffer): Buffer {
    const key = this.#keys.get(keyId)
    if (key === undefined || locked.length < lockBytes)
      throw new RangeError('no key for it, or no lock on it')
    const work = createDecipheriv(cipher, key, locked.subarray(0, nonceBytes), { authTagLength: tagBytes })
    work.setAAD(bound(redisKey, head))
    work.setAuthTag(locked.subarray(nonceBytes, lockBytes))
    const payload = work.update(locked.subarray(lockBytes))
    work.final() // throws unless all is as it was
    return payload
  }
}

/** The length first, so that no part of one can be taken for the other. */
function bound(redisKey: string, head: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(Buffer.byteLength(redisKey))
  return Buffer.concat([length, Buffer.from(redisKey), head])
}

const bad = (message: string): CacheError => new CacheError('cache.bad-option', `encrypt.${message}`)

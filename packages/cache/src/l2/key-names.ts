/**
 * How keys are named outside this process: in Redis and in the tag of a key that stands in the log.
 *
 * With a secret, a name is its HMAC-SHA-256, 128 bits of it in base64url: who reads Redis or the log sees neither the
 * name nor whether a name that he guesses is among them, and the same name has another one in each namespace.
 */

import { createHmac, createSecretKey } from 'node:crypto'

import { CacheError } from '../cache-error.js'

/** The name of a key in Redis and in the log. */
export type NameOf = (key: string) => string

const minSecretBytes = 32
const hashBytes = 16

/** @throws CacheError 'cache.bad-option' */
export function keyNames(namespace: string, secret?: Uint8Array): NameOf {
  if (secret === undefined) return (key) => key
  if (!(secret instanceof Uint8Array))
    throw new CacheError('cache.bad-option', 'encrypt.names: is not a Buffer')
  if (secret.length < minSecretBytes)
    throw new CacheError(
      'cache.bad-option',
      `encrypt.names: ${secret.length} bytes given, at least ${minSecretBytes} are needed`,
    )
  const own = createSecretKey(secret)
  // No namespace holds a colon: no two pairs of namespace and key make one text.
  return (key) =>
    createHmac('sha256', own)
      .update(`${namespace}:${key}`)
      .digest()
      .subarray(0, hashBytes)
      .toString('base64url')
}

/**
 * How keys are named outside this process: in Redis and in the tag of a key that stands in the log.
 *
 * With a secret, a name is its HMAC-SHA-256, 128 bits of it in base64url: who reads Redis or the log sees neither the
 * name nor whether a name that he guesses is among them, and the same name has another one in each namespace.
 *
 * Two keys never have one name. Half a surrogate pair cannot be said in UTF-8, and all of them would come out as U+FFFD: one
 * owner's key as another's. So a key that holds one is named by its SHA-256, after a mark that no other name begins with.
 */

import { createHash, createHmac, createSecretKey } from 'node:crypto'

import { CacheError } from '../cache-error.js'
import { isWhole } from './whole-text.js'

/** The name of a key in Redis and in the log. */
export type NameOf = (key: string) => string

const minSecretBytes = 32
const hashBytes = 16

const mark = '\ufffd'

/** As it is, as nearly every key; each key in its own way. */
function spelled(key: string): string {
  // Where no types are checked a number comes as a key.
  const text = String(key)
  if (isWhole(text) && !text.startsWith(mark)) return text
  return mark + createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url')
}

/** Whether the key can be told from its `name`, where names are no HMACs. */
export const isSpelledOut = (name: string): boolean => !name.startsWith(mark)

/** @throws CacheError 'cache.bad-option' */
export function keyNames(namespace: string, secret?: Uint8Array): NameOf {
  if (secret === undefined) return spelled
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
      .update(`${namespace}:${spelled(key)}`)
      .digest()
      .subarray(0, hashBytes)
      .toString('base64url')
}

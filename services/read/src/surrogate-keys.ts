/**
 * For a cache in front of this service that is purged by key, see docs/webhooks.md: each answer names what it depends on.
 *
 * That cache may keep an answer for as long as this service may, and clients still may not. What is asked with a token or a
 * level is another answer to it.
 */
import { surrogateKey } from '@tidemark/service'

/** The `Surrogate-Key` of an answer with these tags. */
export type KeysOf = (tags: readonly string[]) => string | undefined

export const createKeysOf = (isOn: boolean): KeysOf =>
  isOn ? (tags) => tags.map(surrogateKey).join(' ') : () => undefined

export function pushSurrogate(headers: string[], keys: string, ttlMs: number): void {
  const seconds = Math.max(0, Math.floor(ttlMs / 1_000))
  headers.push(
    'Surrogate-Key',
    keys,
    'Surrogate-Control',
    `max-age=${seconds}`,
    'Vary',
    'Tidemark, Tidemark-Level',
  )
}

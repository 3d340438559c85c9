/**
 * For a cache in front of this service that is purged by key, see docs/webhooks.md: each answer names what it depends on.
 *
 * That cache may keep an answer for as long as this service may, and clients still may not. What was asked with a token or a
 * level is for one client: it may not be kept, and what is kept may not answer it.
 */
import { surrogateKey } from '@tidemark/service'

export interface Surrogate {
  readonly keys: string
  readonly maxAgeMs: number
}

/** Undefined: there is no such cache. `isForAll`: it was asked for without a token and a level. */
export type SurrogateOf = (tags: readonly string[], ttlMs: number, isForAll: boolean) => Surrogate | undefined

export const createSurrogateOf = (isOn: boolean): SurrogateOf =>
  isOn
    ? (tags, ttlMs, isForAll) => ({
        keys: tags.map(surrogateKey).join(' '),
        maxAgeMs: isForAll ? Math.max(0, ttlMs) : 0,
      })
    : () => undefined

export function pushSurrogate(headers: string[], { keys, maxAgeMs }: Surrogate): void {
  const control = `max-age=${Math.floor(maxAgeMs / 1_000)}`
  headers.push('Surrogate-Key', keys, 'Surrogate-Control', control, 'Vary', 'Tidemark, Tidemark-Level')
}

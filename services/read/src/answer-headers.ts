/** The headers of an answer: the same whichever path sends it. */
import { formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import { pushSurrogate } from './surrogate-keys.js'
import type { Surrogate } from './surrogate-keys.js'

/** What an answer's headers tell. Times in milliseconds. */
export interface Story {
  /** `hit`: from a cache layer. `miss`: read from the origin. `graced`: could not be read, and the resource allows it. */
  readonly cache: 'hit' | 'miss' | 'graced'
  readonly layer: 'l1' | 'l2' | 'origin'
  readonly isShared: boolean
  readonly ageMs: number
  readonly ttlMs: number
  readonly token: Token | undefined
  /** Infinity: no bound can be shown. */
  readonly lagMs: number
  readonly isHistoryLost: boolean
  /** For a cache in front that is purged by key; undefined: there is none. */
  readonly surrogate?: Surrogate | undefined
}

/**
 * Clients may store answers, but must ask again each time (a 304 costs little): they do not follow the log, so no time
 * to live would be honest.
 */
const cacheControl = 'no-cache'

export const jsonType = 'application/json; charset=utf-8'

/** `Cache-Status` (RFC 9211). A negative ttl says that the answer is stale: it was graced. */
function cacheStatus({ cache, layer, isShared, ttlMs, isHistoryLost }: Story): string {
  const ttl = Math.floor(ttlMs / 1_000)
  const lost = isHistoryLost ? '; tidemark-history=lost' : ''
  switch (cache) {
    case 'hit':
      return `tidemark; hit; ttl=${ttl}; detail=${layer}${lost}`
    case 'graced':
      return `tidemark; hit; ttl=-1; detail=stale${lost}`
    case 'miss':
      return `tidemark; fwd=miss; detail=origin${isShared ? '; collapsed' : ''}${lost}`
  }
}

/** Names and values in turn, as `writeHead` takes them quickest. */
export function answerHeaders(story: Story, etag: string | undefined): string[] {
  const headers = [
    'Cache-Control',
    cacheControl,
    'Cache-Status',
    cacheStatus(story),
    'Age',
    String(Math.max(0, Math.floor(story.ageMs / 1_000))),
    'X-Content-Type-Options',
    'nosniff',
  ]
  if (etag !== undefined) headers.push('ETag', etag)
  if (story.token !== undefined) headers.push('Tidemark', formatToken(story.token))
  if (story.surrogate !== undefined) pushSurrogate(headers, story.surrogate)
  if (story.lagMs !== Infinity) headers.push('Tidemark-Lag', String(Math.ceil(story.lagMs)))
  return headers
}

/** One client's session at the read services: it asks, and takes down what it saw for the judge. */
import type { Level, Observation } from './history.js'
import { laterToken } from './history.js'
import type { HttpClient } from './http-client.js'
import { header } from './http-client.js'

export interface Session {
  /** Asks a reader for a product. Undefined: no answer with a body (counted by status in `refused`). */
  read(reader: HttpClient, productId: number, level: Level): Promise<Observation | undefined>
  /** Takes a token from elsewhere, such as from a write of this session's own. */
  learn(token: string | undefined): void
}

/** How many products a session remembers for the check of monotonic reads. */
const memory = 1_000

export function createSession(now: () => number, refused: Map<number, number>): Session {
  const seen = new Map<number, number>()
  let token: string | undefined

  function remember(productId: number, value: number): void {
    seen.delete(productId)
    seen.set(productId, value)
    if (seen.size > memory) seen.delete(seen.keys().next().value!)
  }

  return {
    learn(other) {
      token = laterToken(token, other)
    },
    async read(reader, productId, level) {
      const tokenSent = level === 'session' ? token : undefined
      const headers: Record<string, string> = { 'tidemark-level': level }
      if (tokenSent !== undefined) headers['tidemark'] = tokenSent
      // A plain bounded request carries no header of ours, as most clients would send it.
      const sentAt = now()
      const reply = await reader.get(`/v1/products/${productId}`, level === 'bounded' ? {} : headers)
      if (reply.status !== 200) {
        refused.set(reply.status, (refused.get(reply.status) ?? 0) + 1)
        return undefined
      }
      const { stock } = JSON.parse(reply.body) as { stock: number }
      const observation: Observation = {
        productId,
        level,
        value: stock,
        sentAt,
        receivedAt: now(),
        reader: reader.origin,
        cacheStatus: header(reply, 'cache-status') ?? '',
        tokenSent,
        tokenReceived: header(reply, 'tidemark'),
        seenBefore: seen.get(productId),
      }
      if (level === 'session') {
        token = laterToken(token, observation.tokenReceived)
        remember(productId, stock)
      }
      return observation
    },
  }
}

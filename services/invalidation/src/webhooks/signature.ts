/**
 * Signatures as Standard Webhooks say (https://www.standardwebhooks.com), for which most languages have a library.
 *
 *   webhook-id, webhook-timestamp (seconds), webhook-signature: `v1,<base64>`, one for each secret, a blank between
 *
 * Signed are the three texts `id.timestamp.body` with HMAC-SHA256 under the raw bytes of the secret: so neither the body nor
 * the time can be changed, and an old request cannot be sent again much later.
 */
import { createHmac } from 'node:crypto'

export interface Signed {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

export function sign(secrets: readonly Buffer[], id: string, atMs: number, body: string): Signed {
  const timestamp = String(Math.floor(atMs / 1_000))
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  )
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

/** The raw key of `whsec_<base64>`; undefined: it is none. */
export function signingKey(text: string): Buffer | undefined {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  if (base64 === undefined) return undefined
  const key = Buffer.from(base64, 'base64')
  return key.length >= 24 && key.length <= 64 ? key : undefined
}

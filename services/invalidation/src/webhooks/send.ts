/**
 * One request to a receiver, and what its answer means.
 *
 *   delivered  2xx
 *   refused    4xx, except 408 and 429: the same request would be refused again, so it is a dead letter at once
 *   failed     anything else: no answer in time, 3xx (redirects are not followed), 5xx; tried again
 *
 * Nothing of an answer but its status and `Retry-After` is read. Reasons never hold the URL: it may carry a secret.
 */
import { reasonOf } from '@tidemark/service'
import type { Delivery } from './requests.js'

export type SendOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number }

export interface SendLimits {
  readonly timeoutMs: number
  /** Aborted when the service stops. */
  readonly signal: AbortSignal
}

/** A receiver may ask for no more patience than this. */
export const retryAfterMaxMs = 3_600_000

export async function send(delivery: Delivery, { timeoutMs, signal }: SendLimits): Promise<SendOutcome> {
  const { method, url, headers, body } = delivery
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await fetch(url, {
      method,
      headers: { 'User-Agent': 'tidemark-webhooks', ...headers },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    })
    await answer.body?.cancel()
    return outcomeOf(answer.status, answer.headers.get('retry-after'))
  } catch (error) {
    return { kind: 'failed', reason: whyNoAnswer(error, late.aborted, timeoutMs), retryAfterMs: 0 }
  }
}

function outcomeOf(status: number, retryAfter: string | null): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `it answered ${status}`
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'refused', reason }
  return { kind: 'failed', reason, retryAfterMs: patienceAsked(retryAfter) }
}

/** Seconds or a date (RFC 9110 §10.2.3); 0: none that can be read. */
function patienceAsked(text: string | null): number {
  if (text === null) return 0
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), retryAfterMaxMs) : 0
}

/** What `fetch` says is "fetch failed"; why, its cause knows. */
function whyNoAnswer(error: unknown, isLate: boolean, timeoutMs: number): string {
  if (isLate) return `it gave no answer within ${timeoutMs} ms`
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { code } = (cause ?? {}) as { code?: unknown }
  return `it was not reached: ${typeof code === 'string' ? code : reasonOf(cause).slice(0, 200)}`
}

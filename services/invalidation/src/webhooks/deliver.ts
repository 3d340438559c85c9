/** A job of a hook's queue: the delivery of one message, tried until it is delivered, refused, or out of attempts. */
import { DeadAtOnce } from '../jobs/jobs.js'
import type { Hook } from './hook.js'
import type { Message } from './messages.js'
import { requestsOf } from './requests.js'
import { retryAfterMaxMs, send } from './send.js'

/** `delivered`, `failed` (tried again, or dead after the last attempt) or `refused` (dead at once). */
export type DeliveryOutcome = 'delivered' | 'failed' | 'refused'

/** Says no more than that the receiver wants patience. */
class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed'
  readonly retryAfterMs: number

  constructor(reason: string, retryAfterMs: number) {
    super(reason)
    this.retryAfterMs = retryAfterMs
  }
}

/** Where a message needs several requests, all of them are sent again after a failure of one. */
export async function deliver(
  hook: Hook,
  message: Message,
  signal: AbortSignal,
  count: (outcome: DeliveryOutcome) => void,
): Promise<void> {
  for (const request of requestsOf(hook, message, Date.now())) {
    const outcome = await send(request, { timeoutMs: hook.timeoutMs, signal })
    if (outcome.kind === 'delivered') continue
    count(outcome.kind)
    if (outcome.kind === 'refused') throw new DeadAtOnce(outcome.reason)
    throw new DeliveryFailed(outcome.reason, outcome.retryAfterMs)
  }
  count('delivered')
}

/** Doubled each time, up to an hour, and spread over its upper half so that what failed together does not come together. */
export function restBefore(hook: Hook, attempt: number, error: unknown, random = Math.random): number {
  const full = Math.min(hook.retryAfterMs * 2 ** Math.min(attempt - 1, 30), retryAfterMaxMs)
  const asked = error instanceof DeliveryFailed ? error.retryAfterMs : 0
  return Math.max(Math.ceil(full * (0.5 + random() / 2)), asked)
}

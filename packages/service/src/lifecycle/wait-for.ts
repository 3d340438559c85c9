import pRetry, { type RetryContext } from 'p-retry'
import { reasonOf, ServiceError } from '../service-error.js'
import { withDeadline } from './deadline.js'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

export interface WaitForOptions {
  /** Bound for the whole wait. */
  readonly timeoutMs: number
  /** Bound for one probe, so that a store that hangs is asked again. */
  readonly attemptTimeoutMs?: number
  /** Gives up at once; usually the signal of the start step. */
  readonly signal?: AbortSignal
  /** What the reader of the error can do: 'check DATABASE_URL'. */
  readonly hint?: string
  readonly onFailedAttempt?: (context: RetryContext) => void
}

/**
 * Asks a store until it answers, with growing pauses, and gives back what the probe gave.
 *
 * A TypeError that is not a network error is a mistake in the probe and ends the wait at once.
 *
 * @throws ServiceError `start_timeout`, naming the store, the last failure and what to do.
 */
export async function waitFor<T>(
  name: string,
  probe: (signal: AbortSignal) => Promise<T> | T,
  { timeoutMs, attemptTimeoutMs = 2_000, signal, hint, onFailedAttempt }: WaitForOptions,
): Promise<T> {
  let lastError: unknown
  const late = () =>
    new ServiceError(
      'start_timeout',
      `${name} was not reachable within ${String(Math.round(timeoutMs))} ms` +
        (lastError === undefined ? '' : ` (${reasonOf(lastError)})`) +
        (hint === undefined ? '' : `: ${hint}`),
      { cause: lastError },
    )
  const attempt = (stop: AbortSignal) => () =>
    withDeadline(attemptTimeoutMs, probe, () => noAnswer(attemptTimeoutMs), stop)
  const retried = (stop: AbortSignal) =>
    pRetry(attempt(stop), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      signal: stop,
      onFailedAttempt: (context) => {
        lastError = context.error
        onFailedAttempt?.(context)
      },
    })
  try {
    return await withDeadline(timeoutMs, retried, late, signal)
  } catch (error) {
    // Cut short from outside, the wait still tells why it was waiting.
    if (error instanceof Error && error === signal?.reason) error.cause ??= lastError
    throw error
  }
}

function noAnswer(timeoutMs: number): ServiceError {
  return new ServiceError('check_timeout', `no answer within ${String(timeoutMs)} ms`)
}

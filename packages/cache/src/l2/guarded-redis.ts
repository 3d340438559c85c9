/**
 * Redis, made safe to wait for.
 *
 * Every call ends within `deadlineMs`, whatever the client's own settings (ioredis by default waits without end for a
 * server that hangs, and queues while it is away). A call that fails or is late counts against one breaker for the
 * client, which all namespaces on it share; while it is open nothing is sent, but for one probe now and then. What fails
 * is told as a value: the caller treats it as a miss or a skipped store, and no exception comes from here.
 *
 * A deadline that fires is given one more turn of the event loop: if this process was busy for that long, the reply lies
 * in the socket, and Redis is not to blame.
 */

import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleAll } from 'cockatiel'
import type { CircuitBreakerPolicy } from 'cockatiel'
import type { Redis } from 'ioredis'

import type { Schedule } from '../schedule.js'
import { timerSchedule } from '../schedule.js'

export type Guarded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false }
export type BreakerState = 'closed' | 'half-open' | 'open'

export interface GuardOptions {
  /** Default 50. */
  readonly deadlineMs?: number
  /** Failures in a row after which nothing is sent. Default 5. */
  readonly failuresToOpen?: number
  /** After how long one call is let through to see. Default 500. */
  readonly probeAfterMs?: number
  /** Calls (batches) waiting for Redis at once. Default 256. */
  readonly maxInFlight?: number
  readonly schedule?: Schedule
}

const trouble = { ok: false } as const

/** Where a command would only wait for a connection that has been lost. */
const lost: readonly string[] = ['reconnecting', 'close', 'end']

export class GuardedRedis {
  readonly client: Redis
  readonly #deadlineMs: number
  readonly #maxInFlight: number
  readonly #schedule: Schedule
  readonly #breaker: CircuitBreakerPolicy
  #inFlight = 0

  constructor(client: Redis, options: GuardOptions = {}) {
    this.client = client
    this.#deadlineMs = options.deadlineMs ?? 50
    this.#maxInFlight = options.maxInFlight ?? 256
    this.#schedule = options.schedule ?? timerSchedule
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(options.failuresToOpen ?? 5),
      halfOpenAfter: options.probeAfterMs ?? 500,
    })
  }

  get breaker(): BreakerState {
    if (this.#breaker.state === CircuitState.Closed) return 'closed'
    return this.#breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open'
  }

  async run<T>(send: (client: Redis) => Promise<T>): Promise<Guarded<T>> {
    // cockatiel lets callers wait while a probe is under way: a request has no time for that.
    if (
      this.#inFlight >= this.#maxInFlight ||
      this.breaker === 'half-open' ||
      lost.includes(this.client.status)
    )
      return trouble
    this.#inFlight++
    try {
      return { ok: true, value: await this.#breaker.execute(() => this.#soon(send(this.client))) }
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) this.lastError = error
      return trouble
    } finally {
      this.#inFlight--
    }
  }

  /** Why a call last failed; for `explain` and logs. */
  lastError: unknown

  #soon<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#schedule(this.#deadlineMs, () => {
        setImmediate(() => {
          reject(new Error(`Redis gave no answer within ${this.#deadlineMs} ms`))
        })
      })
      reply.then(
        (value) => {
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          cancel()
          reject(error as Error)
        },
      )
    })
  }
}

/** One guard for each client: two namespaces on one client share its fate, so they share its breaker and its batches. */
const guards = new WeakMap<Redis, GuardedRedis>()

/** The guard of `client`; `options` count when it is first asked for. */
export function guardRedis(client: Redis, options?: GuardOptions): GuardedRedis {
  const known = guards.get(client)
  if (known !== undefined) return known
  const guard = new GuardedRedis(client, options)
  guards.set(client, guard)
  return guard
}

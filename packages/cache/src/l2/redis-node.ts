/**
 * One Redis server, made safe to wait for.
 *
 * Every call ends within `deadlineMs`, whatever the client's own settings (ioredis by default waits without end for a
 * server that hangs, and queues while it is away). A call that fails or is late counts against the server's breaker;
 * while it is open nothing is sent, but for one probe now and then. What fails is told as a value: the caller treats it
 * as a miss or a skipped store, and no exception comes from here.
 *
 * A deadline that fires is given one more turn of the event loop: if this process was busy for that long, the reply lies
 * in the socket, and Redis is not to blame.
 */

import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleAll } from 'cockatiel'
import type { CircuitBreakerPolicy } from 'cockatiel'
import type { Redis } from 'ioredis'

import type { Schedule } from '../schedule.js'

export type Guarded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false }
export type BreakerState = 'closed' | 'half-open' | 'open'

export interface NodeLimits {
  readonly deadlineMs: number
  readonly failuresToOpen: number
  readonly probeAfterMs: number
  readonly maxInFlight: number
  readonly schedule: Schedule
}

export interface NodeParts {
  /** The connection to it; undefined: there is none now. */
  readonly find: () => Redis | undefined
  readonly limits: NodeLimits
  /** A call came to nothing: the time to look where the server is now. */
  readonly troubled: (node: RedisNode, error: unknown) => void
}

const trouble = { ok: false } as const

export class RedisNode {
  readonly #find: () => Redis | undefined
  readonly #limits: NodeLimits
  readonly #troubled: NodeParts['troubled']
  readonly #breaker: CircuitBreakerPolicy
  #client: Redis | undefined
  #wasReady = false
  #inFlight = 0

  constructor({ find, limits, troubled }: NodeParts) {
    this.#find = find
    this.#limits = limits
    this.#troubled = troubled
    this.#breaker = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(limits.failuresToOpen),
      halfOpenAfter: limits.probeAfterMs,
    })
  }

  get breaker(): BreakerState {
    if (this.#breaker.state === CircuitState.Closed) return 'closed'
    return this.#breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open'
  }

  async run<T>(send: (client: Redis) => Promise<T>): Promise<Guarded<T>> {
    // cockatiel lets callers wait while a probe is under way: a request has no time for that.
    if (this.#inFlight >= this.#limits.maxInFlight || this.breaker === 'half-open') return trouble
    const client = this.#connection()
    if (client === undefined) {
      this.#troubled(this, undefined)
      return trouble
    }
    this.#inFlight++
    try {
      return { ok: true, value: await this.#breaker.execute(() => this.#soon(send(client))) }
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) this.#troubled(this, error)
      return trouble
    } finally {
      this.#inFlight--
    }
  }

  /** Undefined where a command would only wait: a connection that was lost is not there until it is ready again. */
  #connection(): Redis | undefined {
    const client = this.#find()
    if (client !== this.#client) {
      this.#client = client
      this.#wasReady = false
    }
    if (client?.status === 'ready') this.#wasReady = true
    else if (this.#wasReady || client === undefined || lost.includes(client.status)) return undefined
    return client
  }

  #soon<T>(reply: Promise<T>): Promise<T> {
    const { deadlineMs, schedule } = this.#limits
    return new Promise((resolve, reject) => {
      const cancel = schedule(deadlineMs, () => {
        setImmediate(() => {
          reject(new Error(`Redis gave no answer within ${deadlineMs} ms`))
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

const lost: readonly string[] = ['reconnecting', 'close', 'end']

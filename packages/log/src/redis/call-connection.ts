/**
 * One connection for calls that expect an answer: opened by the first, shared by those that follow, which then travel
 * together. A call that fails or misses its deadline costs the connection, since what was sent on it may still arrive;
 * the next call opens another, perhaps to another server.
 */

import type { Redis } from 'ioredis'

import type { Clock } from '../clock.js'
import { within } from '../clock.js'
import type { LogErrorCode } from '../errors.js'
import { asLogError, LogError } from '../errors.js'
import { openRedis } from './redis-connection.js'
import type { RedisEndpoint } from './redis-address.js'

export interface CallConnection {
  /** @throws LogError of the code given, `log.stopped` once closed */
  call<T>(doing: string, act: (redis: Redis) => Promise<T>): Promise<T>
  /** Ends the connection in use, and the calls on it. */
  drop(): void
  close(): void
}

export interface CallConnectionOptions {
  /** Shown in errors. */
  readonly name: string
  readonly endpoint: RedisEndpoint
  readonly failure: LogErrorCode
  readonly clock: Clock
  /** For each call, the connecting included. */
  readonly timeoutMs: number
}

export function createCallConnection({
  name,
  endpoint,
  failure,
  clock,
  timeoutMs,
}: CallConnectionOptions): CallConnection {
  let connection: Promise<Redis> | undefined
  let isClosed = false

  const connect = (): Promise<Redis> => {
    const opening = openRedis(endpoint, { clock, timeoutMs })
    const forget = (): void => {
      if (connection === opening) connection = undefined
    }
    opening.then((redis) => {
      redis.once('close', forget)
      if (isClosed) redis.disconnect()
    }, forget)
    return opening
  }

  const drop = (opening: Promise<Redis> | undefined): void => {
    opening?.then((redis) => {
      redis.disconnect()
    }, neverOpened)
    if (connection === opening) connection = undefined
  }

  return {
    async call(doing, act) {
      if (isClosed) throw new LogError('log.stopped', `${name}: closed`)
      const opening = (connection ??= connect())
      const late = (): LogError =>
        new LogError(failure, `${name}: no answer to ${doing} within ${timeoutMs} ms`)
      try {
        return await within(clock, timeoutMs, opening.then(act), late)
      } catch (error) {
        drop(opening)
        throw asLogError(error, failure, `${name}: ${doing}`)
      }
    },
    drop() {
      drop(connection)
    },
    close() {
      isClosed = true
      drop(connection)
    },
  }
}

/** Nothing to drop. */
function neverOpened(): void {
  return
}

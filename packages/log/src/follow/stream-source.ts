import type { Redis } from 'ioredis'

import { pause } from '../clock.js'
import { asLogError, LogError } from '../errors.js'
import { logKeys } from '../redis/log-keys.js'
import { openRedis } from '../redis/redis-connection.js'
import type { RedisEndpoint } from '../redis/redis-address.js'
import { followStream } from './stream-session.js'
import type { StreamSessionOptions } from './stream-session.js'

export interface StreamSourceOptions extends Omit<StreamSessionOptions, 'keys' | 'onAnswered' | 'onRead'> {
  readonly endpoint: RedisEndpoint
  /** A connection has ended, and with it the worth of what was asked on it. */
  readonly onClosed?: () => void
  /** In [0, 1). */
  readonly random: () => number
  readonly onError: (error: LogError) => void
}

export interface StreamSource {
  /** Follows until `signal` is aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>
  /** Ends the connection in use; the next one may lead to another server. */
  restart(): void
  /** The connection in use has answered its last ask. */
  readonly isLive: boolean
  readonly reconnects: number
}

const minBackoffMs = 50
const maxBackoffMs = 1_000

/**
 * Follows the Redis stream, one connection after the other. Whatever ends a connection, what was asked on it is void.
 */
export function createStreamSource({
  endpoint,
  onClosed,
  onError,
  random,
  ...options
}: StreamSourceOptions): StreamSource {
  const { observed, clock, timeoutMs } = options
  const keys = logKeys(endpoint.prefix)
  let isLive = false
  let reconnects = 0
  let failures = 0
  let current: Redis | undefined

  const onAnswered = (): void => {
    isLive = true
  }

  /** Not already when an ask is answered: a stream that cannot be read would be tried at full pace for ever. */
  const onRead = (): void => {
    failures = 0
  }

  const session = async (signal: AbortSignal): Promise<void> => {
    const redis = await openRedis(endpoint, { clock, timeoutMs })
    const drop = (): void => {
      redis.disconnect()
    }
    signal.addEventListener('abort', drop)
    current = redis
    try {
      if (!signal.aborted)
        await Promise.race([followStream(redis, { ...options, keys, onAnswered, onRead }), closed(redis)])
    } finally {
      isLive = false
      current = undefined
      observed.voidAsks()
      onClosed?.()
      signal.removeEventListener('abort', drop)
      drop()
    }
  }

  return {
    async run(signal) {
      for (; !signal.aborted; reconnects++) {
        try {
          await session(signal)
        } catch (error) {
          if (signal.aborted) return
          onError(asLogError(error, 'log.stream-failed', 'the stream could not be read'))
        }
        const backoffMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures++, 10))
        await pause(clock, backoffMs * (0.5 + random() / 2), signal)
      }
    },
    restart() {
      current?.disconnect()
    },
    get isLive() {
      return isLive
    },
    get reconnects() {
      return reconnects
    },
  }
}

/** Rejects when the connection closes: a client that reconnects by itself must not go on with old asks. */
function closed(redis: Redis): Promise<never> {
  const closing = new Promise<never>((_, reject) => {
    redis.once('close', () => {
      reject(new LogError('log.stream-failed', 'Redis closed the connection'))
    })
  })
  return closing
}

/**
 * One connection to one server, for one life.
 *
 * ioredis would reconnect by itself and send again what was not answered. Here a connection that fails is dropped and
 * its owner opens another, because what was asked on one connection means nothing on the next.
 */

import type { Redis } from 'ioredis'

import { within } from '../clock.js'
import { LogError } from '../errors.js'
import { clientOf } from './redis-address.js'
import type { OpenOptions, RedisEndpoint } from './redis-address.js'

/** @throws LogError `log.stream-failed` when it is not ready in time */
export async function openRedis(endpoint: RedisEndpoint, options: OpenOptions): Promise<Redis> {
  const { clock, timeoutMs } = options
  const late = (): LogError => new LogError('log.stream-failed', `Redis is not ready after ${timeoutMs} ms`)
  const redis = await within(clock, timeoutMs, clientOf(endpoint, options), late)
  redis.on('error', ignore)
  try {
    await within(clock, timeoutMs, ready(redis), late)
    return redis
  } catch (error) {
    redis.disconnect()
    throw error
  }
}

function ready(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve()
  return new Promise((resolve, reject) => {
    let reason: Error | undefined
    redis.on('error', (error: Error) => {
      reason = error
    })
    redis.once('ready', resolve)
    redis.once('close', () => {
      const why = reason === undefined ? 'it closed the connection' : reason.message
      reject(new LogError('log.stream-failed', `Redis is not ready: ${why}`, { cause: reason }))
    })
    if (redis.status === 'wait') redis.connect().catch(ignore)
  })
}

/** ioredis throws on an error event nobody listens to; the failure reaches the owner through its command or `close`. */
function ignore(): void {
  return
}

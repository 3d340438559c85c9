import { Redis } from 'ioredis'
import type { Cluster, RedisOptions } from 'ioredis'

/**
 * Where a Redis is: a URL; a client to copy, of one server or of what Sentinel calls the master; or a maker of clients of
 * one server.
 */
export type RedisAddress = string | Redis | Cluster | (() => Redis)

/** What makes a client live once: it neither reconnects nor sends anything again. */
const onlyOnce = (connectTimeout: number): RedisOptions => ({
  lazyConnect: true,
  connectTimeout,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  maxLoadingRetryTime: connectTimeout,
})

/** A copy keeps who the client is and where it connects, and drops what would end a read that blocks or reshape answers. */
const asCopy: RedisOptions = {
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  replyMapping: 'legacy',
  monitor: false,
  readOnly: false,
}

/** A client of the address, for one connection; it connects when told to. */
export function clientOf(address: RedisAddress, connectTimeoutMs: number): Redis {
  if (typeof address === 'string') return new Redis(address, onlyOnce(connectTimeoutMs))
  if (typeof address === 'function') return address()
  return (address as Redis).duplicate({ ...asCopy, ...onlyOnce(connectTimeoutMs) })
}

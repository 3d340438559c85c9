/**
 * From where a Redis is to a client of one server, for one connection.
 *
 * A copy of a client asks Sentinel by itself, each time it connects. In a Cluster the log lies on one node, the master of
 * its slot; who that is, is looked up anew before each connection, since the last one ended for some reason: a client of
 * one node is told MOVED and does not follow it. A node that hangs must not hang the look-up: what was known goes then.
 */

import calculateSlot from 'cluster-key-slot'
import { Redis } from 'ioredis'
import type { Cluster, RedisOptions } from 'ioredis'

import type { Clock } from '../clock.js'
import { settlesWithin } from '../clock.js'
import { LogError } from '../errors.js'
import { logKeys } from './log-keys.js'

/**
 * Where a Redis is: a URL; a client to copy, of one server, of what Sentinel calls the master, or of a Cluster; or a
 * maker of clients of one server. A client to copy stays its owner's, and is not read from.
 */
export type RedisAddress = string | Redis | Cluster | (() => Redis)

export interface RedisEndpoint {
  readonly redis: RedisAddress
  /** Of the keys; default `tidemark`. */
  readonly prefix?: string
}

export interface OpenOptions {
  readonly clock: Clock
  /** Until it is ready, handshake included. */
  readonly timeoutMs: number
}

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
  stringNumbers: false,
  monitor: false,
  readOnly: false,
}

/** @throws LogError `log.stream-failed` where the Cluster knows no master for the log */
export async function clientOf({ redis, prefix }: RedisEndpoint, options: OpenOptions): Promise<Redis> {
  const once = onlyOnce(options.timeoutMs)
  if (typeof redis === 'string') return new Redis(redis, once)
  if (typeof redis === 'function') return redis()
  if (!isCluster(redis)) return redis.duplicate({ ...asCopy, ...once })
  const { keyPrefix } = redis.options
  const master = await masterOf(redis, `${keyPrefix ?? ''}${logKeys(prefix).log}`, options)
  return master.duplicate({ ...asCopy, ...once, ...(keyPrefix === undefined ? {} : { keyPrefix }) })
}

const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster

async function masterOf(cluster: Cluster, key: string, { clock, timeoutMs }: OpenOptions): Promise<Redis> {
  if (cluster.status === 'ready') await settlesWithin(clock, timeoutMs / 3, refreshed(cluster))
  else await settlesWithin(clock, timeoutMs / 2, connected(cluster))
  const address = cluster.slots[calculateSlot(key)]?.[0]
  const master = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address)
  if (master !== undefined) return master
  throw new LogError('log.stream-failed', `the Cluster (${cluster.status}) knows no master for ${key}`)
}

const refreshed = (cluster: Cluster): Promise<void> =>
  new Promise((resolve) => {
    cluster.refreshSlotsCache(() => {
      resolve()
    })
  })

function connected(cluster: Cluster): Promise<unknown> {
  if (cluster.status === 'wait') return cluster.connect()
  return new Promise((resolve) => {
    cluster.once('ready', resolve)
  })
}

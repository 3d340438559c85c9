import type { Logger } from '@tidemark/service'
import { Redis } from 'ioredis'

export interface QueueClientOptions {
  readonly url: string
  readonly logger: Logger
  /** A worker waits for its Redis for ever; everybody else is told at once that it is away. */
  readonly isWorker?: boolean
}

const reconnectMaxMs = 2_000
const connectTimeoutMs = 2_000

/** A client as BullMQ wants it. It connects by itself and for ever; a loss is logged once, and so is the return. */
export function queueClient({ url, logger, isWorker = false }: QueueClientOptions): Redis {
  const client = new Redis(url, {
    connectionName: 'tidemark-jobs',
    connectTimeout: connectTimeoutMs,
    maxRetriesPerRequest: isWorker ? null : 0,
    enableOfflineQueue: isWorker,
    retryStrategy: (attempt) => Math.min(reconnectMaxMs, 50 * attempt),
  })
  let isLost = false
  client.on('error', (error: Error) => {
    if (!isLost && !isWorker) logger.warn({ err: error }, 'the Redis of the job queues is away: jobs wait')
    isLost = true
  })
  client.on('ready', () => {
    if (isLost && !isWorker) logger.info('the Redis of the job queues is back')
    isLost = false
  })
  return client
}

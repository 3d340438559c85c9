import { Redis } from 'ioredis'

export interface RequestClientOptions {
  readonly url: string
  /** Shown in `CLIENT LIST`. */
  readonly name: string
  /** For each command; the default suits a Redis in the same zone. */
  readonly commandTimeoutMs?: number
  /** Once for each time that the connection is lost, with why. */
  readonly onLost?: (error: Error | undefined) => void
}

const defaultTimeoutMs = 250
const reconnectMaxMs = 1_000

/**
 * A client for request paths: it fails at once while Redis is away instead of queueing, gives each command a deadline,
 * and reconnects in the background for ever. It connects by itself; nobody has to wait for it.
 */
export function requestClient({
  url,
  name,
  commandTimeoutMs = defaultTimeoutMs,
  onLost,
}: RequestClientOptions): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(reconnectMaxMs, 50 * attempt),
  })
  let lastError: Error | undefined
  let isLost = false
  redis.on('error', (error: Error) => {
    lastError = error
  })
  redis.on('ready', () => {
    isLost = false
  })
  redis.on('close', () => {
    if (!isLost) onLost?.(lastError)
    isLost = true
    lastError = undefined
  })
  return redis
}

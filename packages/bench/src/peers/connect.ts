import { Redis } from 'ioredis'

/** ioredis with its default options; it reconnects by itself, so an error is only noise. */
export function connect(url: string): Redis {
  const redis = new Redis(url)
  redis.on('error', () => undefined)
  return redis
}

import type { Follower } from '@tidemark/tide'

import { loadCheckpoint } from '../checkpoint/checkpoint.js'
import type { Clock } from '../clock.js'
import { within } from '../clock.js'
import { LogError } from '../errors.js'
import { logKeys } from '../redis/log-keys.js'
import { openRedis } from '../redis/redis-connection.js'
import type { RedisEndpoint } from '../redis/redis-connection.js'
import { decodeTail } from '../redis/stream-codec.js'
import type { ObservedFollower } from './observed-follower.js'

export interface StartOptions {
  readonly endpoint: RedisEndpoint
  readonly observed: ObservedFollower
  readonly clock: Clock
  readonly timeoutMs: number
  readonly onError: (error: LogError) => void
}

/**
 * Takes the follower to the checkpoint in Redis, or else to the stream's tail, knowing nothing of what came before.
 * A checkpoint of a term below the stream's is refused: its history has ended.
 *
 * @returns undefined where Redis has neither
 * @throws LogError `log.stream-failed`, or what ioredis threw
 */
export async function startFromRedis(options: StartOptions): Promise<'checkpoint' | 'tail' | undefined> {
  const { endpoint, observed, clock, timeoutMs, onError } = options
  const redis = await openRedis(endpoint, { clock, timeoutMs })
  try {
    const { buckets } = observed.follower.table
    const reading = Promise.all([
      redis.xrevrange(logKeys(endpoint.prefix).log, '+', '-', 'COUNT', 1),
      loadCheckpoint(redis, { buckets }, endpoint.prefix),
    ])
    const late = (): LogError => new LogError('log.stream-failed', 'Redis gave no checkpoint in time')
    const [newest, checkpoint] = await within(clock, timeoutMs, reading, late)
    const tail = decodeTail(newest)
    const reason =
      checkpoint?.kind === 'refused'
        ? checkpoint.reason
        : checkpoint && refusal(checkpoint.snapshot.epoch.term, tail?.epoch.term ?? 0)
    if (reason !== undefined) onError(new LogError('log.checkpoint-refused', `the checkpoint is ${reason}`))
    else if (checkpoint?.kind === 'snapshot' && restore(observed.follower, checkpoint.snapshot))
      return 'checkpoint'
    if (tail === undefined) return undefined
    observed.jump(tail.epoch, tail.link)
    return 'tail'
  } finally {
    redis.disconnect()
  }
}

const refusal = (term: number, streamTerm: number): string | undefined =>
  term < streamTerm ? `of term ${term}, the stream is in term ${streamTerm}` : undefined

const restore = (follower: Follower, snapshot: Parameters<Follower['restore']>[0]): boolean =>
  follower.restore(snapshot)

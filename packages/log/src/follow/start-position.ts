import type { FollowerSnapshot } from '@tidemark/tide'
import { isSameEpoch } from '@tidemark/tide'

import { loadCheckpoint } from '../checkpoint/checkpoint.js'
import type { DecodedCheckpoint } from '../checkpoint/checkpoint-format.js'
import type { Clock } from '../clock.js'
import { within } from '../clock.js'
import { asLogError, LogError } from '../errors.js'
import type { LogReader } from '../postgres/log-reader.js'
import { logKeys } from '../redis/log-keys.js'
import { openRedis } from '../redis/redis-connection.js'
import type { RedisEndpoint } from '../redis/redis-address.js'
import { decodeTail } from '../redis/stream-codec.js'
import type { Tail } from '../redis/stream-codec.js'
import type { ObservedFollower } from './observed-follower.js'

export interface StartOptions {
  readonly endpoint: RedisEndpoint
  readonly observed: ObservedFollower
  /** Asked about a checkpoint when there is no stream to compare it with. */
  readonly log: Pick<LogReader, 'whereabouts'> | undefined
  readonly clock: Clock
  readonly timeoutMs: number
  readonly onError: (error: LogError) => void
}

/**
 * Takes the follower to the checkpoint in Redis, or else to the stream's tail, knowing nothing of what came before.
 *
 * A checkpoint is a hint that outlives histories: a database restored under it, a Redis once used by another. So it is
 * taken only in the epoch that the stream ends in; where there is no stream, only if the log has its link in its present
 * epoch. Taking one of a higher term would be for ever: a follower never goes back, and no log would prove it.
 *
 * @returns undefined where Redis has neither
 * @throws LogError `log.stream-failed`, or what ioredis threw
 */
export async function startFromRedis(options: StartOptions): Promise<'checkpoint' | 'tail' | undefined> {
  const { observed, log, onError } = options
  const { checkpoint, tail } = await readRedis(options)
  const reason =
    checkpoint?.kind === 'snapshot' ? await refusal(checkpoint.snapshot, tail, log) : checkpoint?.reason
  if (reason !== undefined) onError(new LogError('log.checkpoint-refused', `the checkpoint is ${reason}`))
  else if (checkpoint?.kind === 'snapshot' && observed.follower.restore(checkpoint.snapshot))
    return 'checkpoint'
  if (tail === undefined) return undefined
  observed.jump(tail.epoch, tail.link)
  return 'tail'
}

async function readRedis({ endpoint, observed, clock, timeoutMs }: StartOptions): Promise<{
  checkpoint: DecodedCheckpoint | undefined
  tail: Tail | undefined
}> {
  const redis = await openRedis(endpoint, { clock, timeoutMs })
  try {
    const { buckets } = observed.follower.table
    const reading = Promise.all([
      redis.xrevrange(logKeys(endpoint.prefix).log, '+', '-', 'COUNT', 1),
      loadCheckpoint(redis, { buckets }, endpoint.prefix),
    ])
    const late = (): LogError => new LogError('log.stream-failed', 'Redis gave no checkpoint in time')
    const [newest, checkpoint] = await within(clock, timeoutMs, reading, late)
    return { checkpoint, tail: decodeTail(newest) }
  } finally {
    redis.disconnect()
  }
}

/** Why the snapshot is not of the present history; undefined: it is. */
async function refusal(
  { epoch, link }: FollowerSnapshot,
  tail: Tail | undefined,
  log: StartOptions['log'],
): Promise<string | undefined> {
  if (tail !== undefined)
    return isSameEpoch(epoch, tail.epoch)
      ? undefined
      : `of another history: of term ${epoch.term}, the stream is in term ${tail.epoch.term}`
  if (log === undefined) return 'alone: there is no stream, and no Postgres was given, that could confirm it'
  try {
    const there = await log.whereabouts(link.position)
    if (isSameEpoch(epoch, there.epoch) && there.markThere === link.mark) return undefined
    return `not in the log: of term ${epoch.term} at ${link.position}, the log is in term ${there.epoch.term}`
  } catch (error) {
    return `not confirmed by the log: ${asLogError(error, 'log.unreachable', 'whereabouts').message}`
  }
}

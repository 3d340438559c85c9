import type { FollowerSnapshot } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import { asLogError } from '../errors.js'
import { runScript } from '../lua/script.js'
import { saveCheckpointScript } from '../lua/save-checkpoint.js'
import { logKeys } from '../redis/log-keys.js'
import type { DecodedCheckpoint, ExpectedLayout } from './checkpoint-format.js'
import { decodeCheckpoint, encodeCheckpoint, headLength, magic, nonceAt } from './checkpoint-format.js'

/**
 * Stores a follower's snapshot for others to start from, unless the one there is of a later term or position. One that
 * cannot be read is no rival; nor is one of another epoch, if the snapshot's is the one that the stream ends in.
 *
 * @param redis a client with a deadline on its commands
 * @returns whether it was stored
 * @throws LogError `log.stream-failed`
 */
export async function saveCheckpoint(
  redis: Redis,
  snapshot: FollowerSnapshot,
  prefix?: string,
): Promise<boolean> {
  const { checkpoint, log } = logKeys(prefix)
  const { term, nonce } = snapshot.epoch
  const bytes = await encodeCheckpoint(snapshot)
  const save = async (): Promise<boolean> =>
    (await runScript(
      redis,
      saveCheckpointScript,
      [checkpoint, log],
      [bytes, ...[magic.length, headLength, nonceAt, term, nonce].map(String)],
    )) === 1
  try {
    if (await save()) return true
    const held = await loadCheckpoint(redis, { buckets: snapshot.table.buckets }, prefix)
    if (held?.kind !== 'refused') return false
    await redis.del(checkpoint)
    return await save()
  } catch (error) {
    throw asLogError(error, 'log.stream-failed', 'the checkpoint could not be stored')
  }
}

/** Undefined: there is none. Never half of one: either all of it is right, or it says why it is refused. */
export async function loadCheckpoint(
  redis: Redis,
  expected: ExpectedLayout,
  prefix?: string,
): Promise<DecodedCheckpoint | undefined> {
  try {
    const bytes = await redis.getBuffer(logKeys(prefix).checkpoint)
    return bytes === null ? undefined : await decodeCheckpoint(bytes, expected)
  } catch (error) {
    throw asLogError(error, 'log.stream-failed', 'the checkpoint could not be read')
  }
}

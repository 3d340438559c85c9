/**
 * A job of the queue `warm`: load this key again, for it has sunk.
 *
 * One job for each key, from its first change until the load is done (`deduplication`). What changes while it waits is
 * loaded with it, since the load's token is taken when the job starts. What changes while it *runs* may have come too late for
 * the load, so that a further job follows it (`keepLastIfActive`): without, that change would be swallowed and the key
 * would stay cold.
 */
import type { HotKey } from '@tidemark/log'
import { parseToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import { z } from 'zod'
import type { NewJob } from '../jobs/jobs.js'

/** The queue is written by this service alone, but it is a store: nothing in it is believed unseen. */
const warmData = z.object({
  key: z.string().max(1_024).startsWith('/v1/'),
  token: z.string().max(64),
})

export interface WarmData {
  readonly key: string
  /** Covers the change that sank it. */
  readonly token: string
}

/** Undefined: no job of this version. */
export function parseWarmData(data: unknown): { key: string; token: Token } | undefined {
  const parsed = warmData.safeParse(data)
  const token = parsed.success ? parseToken(parsed.data.token) : undefined
  return parsed.success && token !== undefined ? { key: parsed.data.key, token } : undefined
}

/** BullMQ's: 1 comes first. */
const lastPriority = 1_000
const attempts = 3
const retryAfterMs = 200

export function warmJob({ key, heat }: HotKey, token: string): NewJob<WarmData> {
  return {
    data: { key, token },
    options: {
      deduplication: { id: key, keepLastIfActive: true },
      priority: Math.max(1, Math.ceil(lastPriority / (1 + heat))),
      attempts,
      backoff: { type: 'exponential', delay: retryAfterMs, jitter: 0.5 },
      removeOnComplete: true,
      // Not a dead letter: the next reader loads what is not warm.
      removeOnFail: true,
    },
  }
}

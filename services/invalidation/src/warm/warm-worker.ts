/**
 * Loads a key again by asking a reader for it, as a client would. The token makes the reader apply the change first, so
 * the load's tidemark is at or above it; it is taken when the job starts, and covers what has sunk the key since the job
 * was added.
 */
import { formatToken, isCoveredBy } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import type { Job } from 'bullmq'
import type { Reader } from '../reader/reader.js'
import { parseWarmData } from './warm-job.js'

export type WarmOutcome =
  /** The reader loaded it. */
  | 'loaded'
  /** It was there already: somebody was faster. */
  | 'held'
  /** The job waited so long that who wanted the key has loaded it. */
  | 'expired'
  /** Nothing that can be asked for. */
  | 'refused'

export interface WarmOptions {
  readonly reader: Reader
  /** Covers what this process has applied. */
  readonly applied: () => Token | undefined
  /** Wall clock: jobs are dated by whoever added them. */
  readonly nowMs?: () => number
}

/** Rough, since two machines' clocks are compared: nothing but load depends on it. */
const ageMaxMs = 10_000

/** @throws where the reader does not answer, or not with success: the job is tried again */
export async function warm(
  job: Pick<Job, 'data' | 'timestamp'>,
  signal: AbortSignal,
  { reader, applied, nowMs = Date.now }: WarmOptions,
): Promise<WarmOutcome> {
  const data = parseWarmData(job.data)
  if (data === undefined) return 'refused'
  if (nowMs() - job.timestamp > ageMaxMs) return 'expired'
  const token = later(data.token, applied())
  const { status, headers } = await reader.get(data.key, {
    purpose: 'warm',
    headers: { Tidemark: formatToken(token) },
    signal,
  })
  if (status >= 500 || status === 429) throw new Error(`a reader answered ${String(status)} for ${data.key}`)
  if (status !== 200 && status !== 404) return 'refused'
  return /\bfwd=/.test(headers.get('cache-status') ?? '') ? 'loaded' : 'held'
}

const later = (one: Token, other: Token | undefined): Token =>
  other !== undefined && isCoveredBy(one, other) ? other : one

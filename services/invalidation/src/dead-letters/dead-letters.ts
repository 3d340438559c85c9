/**
 * The dead letters: the failed jobs of the queues. They leave by being retried or discarded, one by one or many by a filter,
 * and never by themselves. Every call has a deadline; many are dealt with in batches, and no more than a bound in one request.
 */
import type { Job } from 'bullmq'
import type { Logger } from '@tidemark/service'
import { inTime } from '../jobs/in-time.js'
import type { Jobs, QueueName } from '../jobs/jobs.js'
import { letterOf } from './letter.js'
import type { Letter } from './letter.js'

interface LetterFilter {
  readonly ids?: readonly string[] | undefined
  /** In its error. */
  readonly error?: string | undefined
  /** Died before. */
  readonly before?: string | undefined
}

interface Bulk {
  readonly queue: QueueName
  readonly filter: LetterFilter
  readonly dryRun: boolean
}

interface BulkResult {
  /** Retried or discarded, or that would be. */
  readonly count: number
  /** The first of them. */
  readonly ids: string[]
  /** There may be more that match: ask again. */
  readonly more: boolean
}

/** Where a page begins: so many letters of this queue lie before it, oldest first. */
export interface Place {
  readonly queue: QueueName
  readonly offset: number
}

export interface DeadLetters {
  counts(): Promise<{ queue: QueueName; dead: number }[]>
  /** Oldest first, queue by queue. `next`: undefined where no more follow. */
  page(
    queues: readonly QueueName[],
    offset: number,
    limit: number,
  ): Promise<{ letters: Letter[]; next: Place | undefined }>
  /** `undefined`: no such job. `alive`: it is no dead letter, or no longer. */
  find(queue: QueueName, id: string): Promise<Job | 'alive' | undefined>
  retry(job: Job): Promise<void>
  discard(queue: QueueName, job: Job): Promise<void>
  retryMany(bulk: Bulk): Promise<BulkResult>
  discardMany(bulk: Bulk): Promise<BulkResult>
}

const batch = 100
/** Dealt with in one request, and looked at. */
const actedMax = 1_000
const scannedMax = 10_000
const idsShown = 100

/** @throws JobsError `jobs.unreachable` */
export function createDeadLetters(jobs: Jobs, logger: Logger): DeadLetters {
  /** A queue that nobody works for any more may hold letters still: of a hook that is declared no longer. */
  const isKnown = async (queue: QueueName): Promise<boolean> =>
    jobs.names().includes(queue) || (await jobs.hasDead(queue))
  const letters = async (queue: QueueName, from: number, count: number): Promise<Job[]> =>
    (await isKnown(queue)) ? inTime(jobs.queue(queue).getJobs(['failed'], from, from + count - 1, true)) : []
  const dead = async (queue: QueueName): Promise<number> => (await jobs.depth(queue)).failed

  const retry = (job: Job): Promise<void> =>
    inTime(job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true }))

  const discard = async (queue: QueueName, job: Job): Promise<void> => {
    await inTime(job.remove())
    logger.warn(
      { queue, job: job.id, attempts: job.attemptsMade, error: job.failedReason, data: briefly(job.data) },
      'a dead letter was discarded',
    )
  }

  const matching = async ({ queue, filter }: Bulk): Promise<{ found: Job[]; more: boolean }> => {
    const found: Job[] = []
    for (let from = 0; from < scannedMax; from += batch) {
      const page = await letters(queue, from, batch)
      found.push(...page.filter((job) => matches(filter, job)))
      if (found.length > actedMax) return { found: found.slice(0, actedMax), more: true }
      if (page.length < batch) return { found, more: false }
    }
    return { found, more: true }
  }

  const many = async (bulk: Bulk, act: (job: Job) => Promise<void>): Promise<BulkResult> => {
    const { found, more } = await matching(bulk)
    const done: Job[] = []
    for (let from = 0; from < found.length; from += batch) {
      const part = found.slice(from, from + batch)
      if (bulk.dryRun) done.push(...part)
      else
        await Promise.all(
          part.map(async (job) => {
            // Somebody else may have dealt with it meanwhile.
            if (!(await inTime(job.isFailed()))) return
            await act(job)
            done.push(job)
          }),
        )
    }
    return { count: done.length, ids: done.slice(0, idsShown).map(({ id }) => id!), more }
  }

  return {
    counts: () => Promise.all(jobs.names().map(async (queue) => ({ queue, dead: await dead(queue) }))),
    async page(queues, offset, limit) {
      const shown: Letter[] = []
      let skip = offset
      for (const queue of queues) {
        const found = await letters(queue, skip, limit - shown.length + 1)
        const fit = found.slice(0, limit - shown.length)
        shown.push(...fit.map((job) => letterOf(queue, job)))
        if (found.length > fit.length) return { letters: shown, next: { queue, offset: skip + fit.length } }
        skip = 0
      }
      return { letters: shown, next: undefined }
    },
    async find(queue, id) {
      if (!(await isKnown(queue))) return undefined
      // First, for other keys of BullMQ's look like a job: `meta`.
      const state = await inTime(jobs.queue(queue).getJobState(id))
      if (state !== 'failed') return state === 'unknown' ? undefined : 'alive'
      return (await inTime(jobs.queue(queue).getJob(id))) as Job | undefined
    },
    retry,
    discard,
    retryMany: (bulk) => many(bulk, retry),
    discardMany: (bulk) => many(bulk, (job) => discard(bulk.queue, job)),
  }
}

const matches = ({ ids, error, before }: LetterFilter, job: Job): boolean =>
  (ids?.includes(job.id!) ?? true) &&
  (error === undefined || (job.failedReason ?? '').includes(error)) &&
  (before === undefined || (job.finishedOn ?? Infinity) < Date.parse(before))

const brief = 500
const briefly = (data: unknown): string => String(JSON.stringify(data)).slice(0, brief)

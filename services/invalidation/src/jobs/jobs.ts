/**
 * The one place that knows BullMQ.
 *
 * Jobs warm and tell. None is on the way of a change to its readers: with this Redis away or full, answers are as
 * fresh as ever. So it may be another Redis than the cache's, and should be one that evicts nothing.
 *
 * A job that failed its last attempt stays where it is: the failed jobs of a queue are its dead letters, and leave only
 * when somebody retries or discards them. Whoever adds jobs keeps the queue within a bound of his own.
 */
import { Queue, UnrecoverableError, Worker } from 'bullmq'
import type { Job, JobsOptions, RateLimiterOptions } from 'bullmq'
import type { Logger } from '@tidemark/service'
import type { Redis } from 'ioredis'
import { inTime } from './in-time.js'
import { queueClient } from './queue-client.js'

const ownQueues = ['warm'] as const
/** Each webhook has a queue of its own. */
export type QueueName = (typeof ownQueues)[number] | `webhooks-${string}`

export const isQueueName = (text: string): text is QueueName =>
  (ownQueues as readonly string[]).includes(text) || /^webhooks-[a-z0-9-]{1,40}$/.test(text)

/** Thrown by a job for which further attempts are of no use: it is a dead letter at once. */
export { UnrecoverableError as DeadAtOnce }

/** Jobs by state; a `prioritized` job waits too. `failed` are the dead letters. */
export const jobStates = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const
type Depth = Readonly<Record<(typeof jobStates)[number], number>>

export interface NewJob<Data> {
  readonly data: Data
  readonly options?: JobsOptions
}

interface WorkOptions {
  readonly concurrency: number
  /** At most `max` jobs in `duration` milliseconds, over all processes. */
  readonly limiter?: RateLimiterOptions
  /** Milliseconds before the next attempt, for jobs whose `backoff.type` is none of BullMQ's. `attempt`: 1 and up. */
  readonly backoff?: (attempt: number, error: Error) => number
}

export interface Jobs {
  /** Those that this process knows of: its own, and those it works for. */
  names(): readonly QueueName[]
  /** All of them or none. @throws JobsError `jobs.unreachable`: they may have been added all the same */
  add<Data>(name: QueueName, jobs: readonly NewJob<Data>[]): Promise<void>
  /** `signal` is aborted when the service stops and the job has had its time; it then comes again elsewhere. */
  work<Data>(
    name: QueueName,
    handle: (job: Job<Data>, signal: AbortSignal) => Promise<void>,
    options: WorkOptions,
  ): void
  /** @throws JobsError `jobs.unreachable` */
  depth(name: QueueName): Promise<Depth>
  /** Whether this queue holds dead letters, also one that nobody here works for. @throws JobsError `jobs.unreachable` */
  hasDead(name: QueueName): Promise<boolean>
  /** What its Redis does when it is full; undefined where it does not say. @throws JobsError `jobs.unreachable` */
  evictionPolicy(): Promise<string | undefined>
  /** The queue itself, for those who look at jobs: every call to it needs a deadline (`inTime`). */
  queue(name: QueueName): Queue
  /** Takes no further job and finishes those in hand; after `signal` they are left to be taken again by others. */
  stop(signal: AbortSignal): Promise<void>
}

export interface CreateJobsOptions {
  readonly url: string
  readonly prefix: string
  readonly logger: Logger
}

/** Of jobs that are done, so many are kept to be looked at. */
const doneKept = 500
const doneKeptSeconds = 3_600

const defaults: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: { age: doneKeptSeconds, count: doneKept },
  removeOnFail: false,
  stackTraceLimit: 1,
}

/** A job whose process died is taken up again after a lock's time and a look at most. */
const abandoned = { lockDuration: 15_000, stalledInterval: 10_000, maxStalledCount: 5 }

export function createJobs({ url, prefix, logger }: CreateJobsOptions): Jobs {
  const connection = queueClient({ url, logger })
  // Braces: in a Cluster all keys of the queues lie in one slot.
  const shared = { connection, prefix: `{${prefix}-jobs}`, skipVersionCheck: true }
  const queues = new Map<QueueName, Queue>()
  const workers: Worker[] = []
  const worked: QueueName[] = []
  const clients: Redis[] = [connection]
  const abandoning = new AbortController()
  const silent = (): void => undefined

  const queue = (name: QueueName): Queue => {
    const made = queues.get(name) ?? new Queue(name, { ...shared, defaultJobOptions: defaults })
    // Its client tells of lost connections, once for all queues.
    if (!queues.has(name)) made.on('error', silent)
    queues.set(name, made)
    return made
  }

  return {
    queue,
    names: () => [...new Set([...ownQueues, ...worked])],
    async add(name, jobs) {
      const bulk = jobs.map(({ data, options }) => ({ name, data, ...(options && { opts: options }) }))
      await inTime(queue(name).addBulk(bulk))
    },
    work(name, handle, { backoff, ...options }) {
      worked.push(name)
      const client = queueClient({ url, logger, isWorker: true })
      clients.push(client)
      const worker = new Worker(name, (job: Job) => handle(job, abandoning.signal), {
        ...shared,
        ...options,
        ...abandoned,
        connection: client,
        ...(backoff && {
          settings: {
            backoffStrategy: (attempt, _type, error) => backoff(attempt, error ?? new Error('unknown')),
          },
        }),
      })
      worker.on('error', silent)
      worker.on('failed', (job, error) => {
        if (job === undefined || job.opts.removeOnFail === true) return
        const isLast = job.attemptsMade >= (job.opts.attempts ?? 1)
        if (isLast || error instanceof UnrecoverableError)
          logger.error({ err: error, queue: name, job: job.id }, 'a job is dead: retry or discard it')
      })
      workers.push(worker)
    },
    async depth(name) {
      return (await inTime(queue(name).getJobCounts(...jobStates))) as unknown as Depth
    },
    async hasDead(name) {
      return (await inTime(connection.exists(`${shared.prefix}:${name}:failed`))) > 0
    },
    async evictionPolicy() {
      return /^maxmemory_policy:(\S+)/m.exec(await inTime(connection.info('memory')))?.[1]
    },
    async stop(signal) {
      signal.addEventListener('abort', () => {
        abandoning.abort()
      })
      await Promise.race([
        Promise.all(workers.map((worker) => worker.close())),
        new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        }),
      ])
      for (const client of clients) client.disconnect()
    },
  }
}

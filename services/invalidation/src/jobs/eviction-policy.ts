import type { Logger } from '@tidemark/service'
import type { Jobs } from './jobs.js'

/** A Redis that evicts takes jobs away unseen. Where it does not say, or is away, nothing is said here either. */
export async function warnOfEviction(jobs: Jobs, logger: Logger): Promise<void> {
  const policy = await jobs.evictionPolicy().catch(() => undefined)
  if (policy === undefined || policy === 'noeviction') return
  logger.warn(
    { maxmemory_policy: policy },
    'the Redis of the job queues may evict jobs: point QUEUE_REDIS_URL at one with maxmemory-policy noeviction',
  )
}

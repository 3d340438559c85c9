import type { LiveFollower } from '@tidemark/log'
import { readHeat } from '@tidemark/log'
import { repeat } from '@tidemark/service'
import type { Logger, Metrics } from '@tidemark/service'
import type { Jobs } from '../jobs/jobs.js'
import type { Reader } from '../reader/reader.js'
import { HotIndex } from './hot-index.js'
import { planWarming } from './warm-planner.js'
import { warm } from './warm-worker.js'
import type { WarmOutcome } from './warm-worker.js'

export interface WarmingOptions {
  readonly redis: Parameters<typeof readHeat>[0]
  readonly prefix: string
  readonly tide: LiveFollower
  readonly jobs: Jobs
  readonly reader: Reader
  /** Loads a second, over all processes. 0: only what is hot is known. */
  readonly ratePerSecond: number
  readonly metrics: Metrics
  readonly logger: Logger
}

export interface Warming {
  /** What readers are asked for most. */
  readonly index: HotIndex
  stop(): Promise<void>
}

const lookEveryMs = 1_000
const concurrency = 16

/** Loads what is hot again as soon as it sinks. Off the way of freshness: without it the next reader loads it. */
export function startWarming(options: WarmingOptions): Warming {
  const { redis, prefix, tide, jobs, reader, ratePerSecond, metrics, logger } = options
  const index = new HotIndex()
  const looking = repeat(
    async () => {
      index.renew(await readHeat(redis, prefix))
    },
    { name: 'reading what is hot', everyMs: lookEveryMs, logger },
  )
  metrics.gauge({
    name: 'tidemark_hot_keys',
    help: 'Keys that readers are asked for most.',
    read: () => index.size,
  })
  if (ratePerSecond === 0) return { index, stop: () => looking.stop() }

  const done: Record<WarmOutcome | 'failed', number> = {
    loaded: 0,
    held: 0,
    expired: 0,
    refused: 0,
    failed: 0,
  }
  const planner = planWarming({
    tide,
    index,
    jobs,
    onError: (error) => {
      logger.debug({ err: error }, 'hot keys are not warmed')
    },
  })
  jobs.work(
    'warm',
    async (job, signal) => {
      try {
        done[await warm(job, signal, { reader, applied: () => tide.follower.token })]++
      } catch (error) {
        done.failed++
        throw error
      }
    },
    { concurrency, limiter: { max: ratePerSecond, duration: 1_000 } },
  )

  metrics.counter({
    name: 'tidemark_warm_jobs_total',
    help: 'Tries to load a hot key again, by what became of them; held: another was faster.',
    labelNames: ['outcome'],
    read: () => Object.entries(done).map(([outcome, value]) => ({ labels: { outcome }, value })),
  })
  metrics.counter({
    name: 'tidemark_warm_asked_total',
    help: 'Hot keys that sank; dropped: the queue could not be reached.',
    labelNames: ['outcome'],
    read: () => Object.entries(planner.counters).map(([outcome, value]) => ({ labels: { outcome }, value })),
  })

  return {
    index,
    async stop() {
      await looking.stop()
      await planner.stop()
    },
  }
}

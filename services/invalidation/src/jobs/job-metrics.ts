import type { Metrics } from '@tidemark/service'
import type { Jobs } from './jobs.js'
import { jobStates } from './jobs.js'

/** Read when scraped; a Redis that is away gives no samples. */
export function jobMetrics(metrics: Metrics, jobs: Jobs): void {
  metrics.gauge({
    name: 'tidemark_queue_jobs',
    help: 'Jobs of this queue in this state; failed: dead letters.',
    labelNames: ['queue', 'state'],
    read: async () => {
      const depths = await Promise.all(
        jobs.names().map(async (queue) => ({ queue, depth: await jobs.depth(queue).catch(() => undefined) })),
      )
      return depths.flatMap(({ queue, depth }) =>
        depth === undefined
          ? []
          : jobStates.map((state) => ({ labels: { queue, state }, value: depth[state] })),
      )
    },
  })
}

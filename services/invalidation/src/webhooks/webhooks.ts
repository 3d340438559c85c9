/** Webhooks: everything about them that runs. */
import type { ChangeFeed, Cursors } from '@tidemark/log'
import type { Logger, Metrics } from '@tidemark/service'
import { reasonOf } from '@tidemark/service'
import type { Jobs } from '../jobs/jobs.js'
import { deliver, restBefore } from './deliver.js'
import type { DeliveryOutcome } from './deliver.js'
import { followHook } from './follow-hook.js'
import { cursorOf, queueOf } from './hook.js'
import type { Hook } from './hook.js'
import type { Message } from './messages.js'

export interface WebhooksOptions {
  readonly hooks: readonly Hook[]
  readonly feed: ChangeFeed
  readonly cursors: Cursors
  readonly jobs: Jobs
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface Webhooks {
  /** Lets the cursors go. Deliveries under way are the queues' to end. */
  stop(): Promise<void>
}

const outcomes = ['delivered', 'failed', 'refused'] as const

/** Each hook has a cursor, a queue and a worker of its own: one that is slow or dead holds up no other. */
export function startWebhooks(options: WebhooksOptions): Webhooks {
  const { hooks, jobs, logger, metrics } = options
  const counts = new Map<string, Record<DeliveryOutcome, number>>()
  const followers = hooks.map((hook) => {
    const count = { delivered: 0, failed: 0, refused: 0 }
    counts.set(hook.name, count)
    jobs.work<Message>(
      queueOf(hook.name),
      ({ data }, signal) => deliver(hook, data, signal, (outcome) => count[outcome]++),
      {
        concurrency: hook.concurrency,
        backoff: (attempt, error) => restBefore(hook, attempt, error),
      },
    )
    return followHook({ ...options, hook, onError: complainer(hook.name, logger) })
  })
  metrics.counter({
    name: 'tidemark_webhook_deliveries_total',
    help: 'Attempts to deliver a message to this hook, by outcome.',
    labelNames: ['hook', 'outcome'],
    read: () =>
      [...counts].flatMap(([hook, count]) =>
        outcomes.map((outcome) => ({ labels: { hook, outcome }, value: count[outcome] })),
      ),
  })
  void tellOrphans(options)
  return {
    async stop() {
      await Promise.all(followers.map((follower) => follower.stop()))
    },
  }
}

/** A cursor without a hook keeps the log from being trimmed, for nobody. */
async function tellOrphans({ hooks, cursors, logger }: WebhooksOptions): Promise<void> {
  const declared = new Set(hooks.map(({ name }) => cursorOf(name)))
  const all = await cursors.all().catch(() => [])
  for (const { name } of all)
    if (name.startsWith(cursorOf('')) && !declared.has(name))
      logger.warn(
        { cursor: name },
        'this cursor has no hook: if it is gone for good, DELETE /v1/cursors/{name}',
      )
}

/** Once a minute at most: what fails, fails each half of a second until it is mended. */
const complainEveryMs = 60_000

function complainer(hook: string, logger: Logger): (error: unknown) => void {
  let quietUntil = 0
  return (error) => {
    const now = performance.now()
    if (now < quietUntil) return
    quietUntil = now + complainEveryMs
    logger.warn({ err: error, hook }, `a webhook's cursor waits, and is tried again: ${reasonOf(error)}`)
  }
}

/** The invalidation service's one composition root. */
import { createPool } from '@tidemark/database'
import { createChangeFeed, createCursors, followLog, logDatabase, LogError, readRoster } from '@tidemark/log'
import { createHealth, createMetrics, createServer, repeat, runService, waitFor } from '@tidemark/service'
import { createInvalidationApp } from './app.js'
import { startAuditor } from './auditor/start-auditor.js'
import { createChangeChannels } from './changes/change-channels.js'
import { channelMetrics } from './changes/channel-metrics.js'
import { checkpointer } from './checkpointer.js'
import { readConfig } from './config.js'
import { cursorMetrics } from './cursors/cursor-metrics.js'
import { warnOfEviction } from './jobs/eviction-policy.js'
import { recordOnce, sweepKeys } from './invalidations/once.js'
import { jobMetrics } from './jobs/job-metrics.js'
import { createJobs } from './jobs/jobs.js'
import { logMetrics } from './log-metrics.js'
import { createLogState } from './log-state.js'
import { createReader } from './reader/reader.js'
import { keepOutbox } from './outbox/keep-outbox.js'
import { createSinks } from './sinks/sinks.js'
import { readStatus } from './status.js'
import { createTrimmer } from './trim/trimmer.js'
import { startWebhooks } from './webhooks/webhooks.js'
import { startWarming } from './warm/start-warming.js'

const connections = 6
/** Of requests: those that wait for each other take no connection from what ships. */
const requestConnections = 4
const probeTimeoutMs = 1_000
const postgresHint = 'check DATABASE_URL, and that the migrations have run'
const restAfterFailureMs = 100
/** A sink that hangs holds up the shipping by no more than this. */
const shipWaitMs = 20
const trimEveryMs = 30_000
const sweepEveryMs = 600_000

await runService({
  name: 'invalidation',
  config: () => readConfig(),
  async start({ config, logger, readiness, step }) {
    const metrics = createMetrics({ service: 'invalidation' })
    const pool = await step(
      'Postgres',
      async ({ signal, remainingMs }) => {
        const opened = createPool({
          url: config.DATABASE_URL,
          name: 'tidemark-invalidation',
          maxConnections: connections,
        })
        await waitFor('Postgres', () => opened.query('SELECT 1 FROM tidemark.clock'), {
          timeoutMs: remainingMs,
          signal,
          hint: postgresHint,
        })
        return opened
      },
      { hint: postgresHint, stop: (opened) => opened.end() },
    )
    const requestPool = await step(
      'Postgres for requests',
      () =>
        createPool({
          url: config.DATABASE_URL,
          name: 'tidemark-invalidation-requests',
          maxConnections: requestConnections,
        }),
      { stop: (opened) => opened.end() },
    )

    const redis = { redis: config.REDIS_URL, prefix: config.TIDEMARK_PREFIX }
    const log = logDatabase(pool)
    const sinks = createSinks({
      log,
      url: config.REDIS_URL,
      far: config.REDIS_SINKS ?? [],
      prefix: config.TIDEMARK_PREFIX,
      onError: (error, name) => {
        const level = error.code === 'log.sink-ahead' ? 'error' : 'warn'
        logger[level]({ err: error, sink: name }, error.message)
      },
    })
    const { flush } = sinks
    // Of a back-log each run ships a part.
    const ship = () =>
      flush.flush(shipWaitMs).catch((error: unknown) => {
        if (!(error instanceof LogError && error.code === 'log.backlog')) throw error
      })
    const shipping = {
      name: 'shipping',
      everyMs: config.FLUSH_INTERVAL,
      afterFailureMs: restAfterFailureMs,
      logger,
    }
    await step(shipping.name, () => repeat(ship, shipping), {
      stop: async (repeated) => {
        await repeated.stop()
        flush.stop()
      },
    })

    const tide = await step(
      'follower',
      async () => {
        const follower = followLog({
          redis,
          postgres: log,
          onError: (error) => {
            logger.warn({ err: error }, error.message)
          },
        })
        await follower.start()
        return follower
      },
      { stop: (follower) => follower.stop() },
    )

    const clients = await step('Redis', () => sinks.open(), {
      stop: (opened) => {
        for (const { client } of opened) client.disconnect()
      },
    })
    const { client } = clients[0]!
    const channels = await step(
      'channels of changes',
      () => createChangeChannels({ redis: client, tide, prefix: config.TIDEMARK_PREFIX, logger }),
      { stop: (made) => made.stop() },
    )
    channelMetrics(metrics, channels)
    for (const { name, client: sinkClient } of clients) {
      const saving = { name: `checkpoint in ${name}`, everyMs: config.CHECKPOINT_INTERVAL, logger }
      const save = checkpointer(sinkClient, tide.follower, config.TIDEMARK_PREFIX)
      await step(saving.name, () => repeat(save, saving), {
        stop: async (repeated) => {
          await repeated.stop()
          // A last one for those who start next; Redis may be gone already.
          await save().catch(() => undefined)
        },
      })
    }
    const trimming = { name: 'trimming of the log', everyMs: trimEveryMs, logger }
    const trimmer = createTrimmer({
      query: (text, values) => pool.query(text, values),
      flush,
      keepPositions: config.LOG_KEEP_POSITIONS,
      keepAgeMs: config.LOG_KEEP_AGE,
      maxPositions: config.LOG_KEEP_MAX_POSITIONS,
      logger,
    })
    await step(trimming.name, () => repeat(() => trimmer.trim(), trimming), {
      stop: (repeated) => repeated.stop(),
    })
    const outbox = keepOutbox({ query: (text) => pool.query(text), logger })
    await step('care of the outbox', () => outbox, { stop: (kept) => kept.stop() })

    const sweeping = { name: 'sweeping of old idempotency keys', everyMs: sweepEveryMs, logger }
    const sweep = () => sweepKeys((text, values) => pool.query(text, values))
    await step(sweeping.name, () => repeat(sweep, sweeping), { stop: (repeated) => repeated.stop() })

    const jobs = await step(
      'job queues',
      () => {
        const made = createJobs({
          url: config.QUEUE_REDIS_URL ?? config.REDIS_URL,
          prefix: config.TIDEMARK_PREFIX,
          logger,
        })
        void warnOfEviction(made, logger)
        return made
      },
      { stop: (made, signal) => made.stop(signal) },
    )
    jobMetrics(metrics, jobs)

    const cursors = createCursors(log)
    const feed = await step('change feed', () => createChangeFeed({ log, tide }), {
      stop: (made) => {
        made.stop()
      },
    })
    const { hooks } = config
    await step('webhooks', () => startWebhooks({ hooks, feed, cursors, jobs, logger, metrics }), {
      stop: (started) => started.stop(),
    })
    const reader = config.READ_URL === undefined ? undefined : createReader(config.READ_URL)
    if (reader === undefined) logger.info('READ_URL is not set: hot keys are not warmed, answers not audited')
    const place = { redis: client, prefix: config.TIDEMARK_PREFIX, tide }
    const warming =
      reader &&
      (await step(
        'warming',
        () => startWarming({ ...place, reader, jobs, metrics, logger, ratePerSecond: config.WARM_RATE }),
        { stop: (started) => started.stop() },
      ))
    const auditing = await step(
      'auditing',
      () =>
        startAuditor({
          own: reader &&
            warming && { ...place, reader, log, flush, hot: warming.index, databaseUrl: config.DATABASE_URL },
          targets: config.AUDIT_TARGETS,
          samplesPerSecond: config.AUDIT_RATE,
          horizonsMs: config.AUDIT_HORIZONS,
          metrics,
          logger,
        }),
      { stop: (started) => started.stop() },
    )

    const logState = createLogState((text) => pool.query(text))
    logMetrics({ metrics, flush, tide, logState, trimmer, outbox })
    cursorMetrics(metrics, cursors, tide)
    if (config.ADMIN_TOKEN === undefined)
      logger.info('ADMIN_TOKEN is not set: /admin, dead letters and cursors refuse everybody')
    const health = createHealth({
      readiness,
      logger,
      checks: [
        { name: 'postgres', check: () => pool.query('SELECT 1'), timeoutMs: probeTimeoutMs },
        { name: 'redis', check: () => sinks.near.count(), timeoutMs: probeTimeoutMs, isRequired: false },
      ],
    })
    const app = createInvalidationApp({
      record: recordOnce({ connect: () => requestPool.connect(), keyTtlMs: config.IDEMPOTENCY_TTL }),
      flush: async () => (await flush.flush()).token,
      status: () =>
        readStatus({ logState, flush, tide, followers: () => readRoster(client, config.TIDEMARK_PREFIX) }),
      jobs,
      cursors,
      adminToken: config.ADMIN_TOKEN,
      audit: () => auditing.report(),
      logger,
      metrics,
      health,
    })
    const server = createServer({ app, logger, metrics })
    await step(
      'HTTP server',
      async () => {
        const { port } = await server.listen({ port: config.PORT, host: config.HOST })
        logger.info({ port }, 'listening')
      },
      { stop: (_, signal) => server.drain(signal) },
    )
  },
})

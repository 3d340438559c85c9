/** The write service's one composition root. */
import { createDatabase, createPool } from '@tidemark/database'
import { createFlush, logDatabase, redisSink } from '@tidemark/log'
import { catalogue, requireCapture } from '@tidemark/resources'
import { createHealth, createMetrics, createServer, repeat, runService, waitFor } from '@tidemark/service'
import { createWriteApp } from './app.js'
import { createRunCommand } from './commands/run-command.js'
import { sweep } from './commands/idempotency.js'
import { readConfig } from './config.js'

const flushConnections = 2
const sweepEveryMs = 600_000
const probeTimeoutMs = 1_000
const postgresHint = 'check DATABASE_URL, and that the migrations have run'

await runService({
  name: 'write',
  config: () => readConfig(),
  async start({ config, logger, readiness, step }) {
    const metrics = createMetrics({ service: 'write' })
    const database = await step(
      'Postgres',
      async ({ signal, remainingMs }) => {
        const opened = createDatabase({
          url: config.DATABASE_URL,
          name: 'tidemark-write',
          maxConnections: config.DATABASE_POOL,
        })
        await waitFor('Postgres', () => opened.pool.query('SELECT 1 FROM tidemark.clock'), {
          timeoutMs: remainingMs,
          signal,
          hint: postgresHint,
        })
        return opened
      },
      { hint: postgresHint, stop: (opened) => opened.close() },
    )

    await step('capture', () =>
      requireCapture(
        (text, values) => database.pool.query(text, values),
        catalogue.all,
        (message) => {
          logger.warn(message)
        },
      ),
    )

    const sink = redisSink({ redis: config.REDIS_URL, prefix: config.TIDEMARK_PREFIX })
    const flushPool = createPool({
      url: config.DATABASE_URL,
      name: 'tidemark-write-flush',
      maxConnections: flushConnections,
    })
    const flush = createFlush({
      log: logDatabase(flushPool),
      sinks: [sink],
      onError: (error, name) => {
        logger.warn({ err: error, sink: name }, 'a sink was not reached: the change is shipped later')
      },
    })
    await step('flush', () => flush, {
      stop: async () => {
        flush.stop()
        await flushPool.end()
      },
    })

    let flushesFailed = 0
    metrics.counter({
      name: 'tidemark_flush_failures_total',
      help: 'Commands that were committed and answered without a token.',
      read: () => flushesFailed,
    })
    const run = createRunCommand({
      database,
      flush: async () => (await flush.flush()).token,
      logger,
      onFlushFailed: () => flushesFailed++,
    })
    const sweeping = { name: 'sweeping of old idempotency keys', everyMs: sweepEveryMs, logger }
    await step(sweeping.name, () => repeat(() => sweep(database.prisma), sweeping), {
      stop: (repeated) => repeated.stop(),
    })

    const health = createHealth({
      readiness,
      logger,
      checks: [
        { name: 'postgres', check: () => database.pool.query('SELECT 1'), timeoutMs: probeTimeoutMs },
        { name: 'redis', check: () => sink.count(), timeoutMs: probeTimeoutMs, isRequired: false },
      ],
    })
    const app = createWriteApp({
      registry: catalogue,
      run,
      idempotencyTtlMs: config.IDEMPOTENCY_TTL,
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

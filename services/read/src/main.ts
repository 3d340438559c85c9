/** The read service's one composition root. */
import { randomUUID } from 'node:crypto'
import { createCache } from '@tidemark/cache'
import { createDatabase } from '@tidemark/database'
import { announce, createChangeFeed, followLog, logDatabase, requestClient } from '@tidemark/log'
import type { LogDatabase } from '@tidemark/log'
import { catalogue, representationCodec, requireCapture } from '@tidemark/resources'
import { createHealth, createMetrics, createServer, repeat, runService, waitFor } from '@tidemark/service'
import { createReadApp } from './app.js'
import { cacheMetrics } from './cache-metrics.js'
import { changeMetrics } from './changes/change-metrics.js'
import { createChangeStreams } from './changes/change-streams.js'
import { readConfig } from './config.js'
import { HeatMeter } from './heat/heat-meter.js'
import { heatTeller } from './heat/heat-teller.js'
import { representationVersion } from './representation-version.js'
import { verifyLog, verifyOrigin } from './trusted-connections.js'

const logConnections = 3
const probeTimeoutMs = 1_000
const postgresHint = 'check DATABASE_URL, and that the migrations have run'
const announceEveryMs = 1_000
/** Requests at one time besides the streams of changes. */
const requestsMax = 1_000

await runService({
  name: 'read',
  config: () => readConfig(),
  async start({ config, logger, readiness, step }) {
    const metrics = createMetrics({ service: 'read' })
    const logStore = createDatabase({
      url: config.DATABASE_URL,
      name: 'tidemark-read-log',
      maxConnections: logConnections,
      verify: async (client) => {
        await verifyLog(client, tide.follower)
      },
    })
    // The pool of the moment: it is renewed with each new term.
    const log: LogDatabase = { query: (...query) => logDatabase(logStore.pool).query(...query) }
    const tide = followLog({
      redis: { redis: config.REDIS_URL, prefix: config.TIDEMARK_PREFIX },
      postgres: log,
      maxLagMs: Math.min(...catalogue.all.map((resource) => resource.cache.maxLagMs)),
      onError: (error) => {
        logger.warn({ err: error }, error.message)
      },
    })
    await step(
      'Postgres',
      async ({ signal, remainingMs }) => {
        await waitFor('Postgres', () => logStore.pool.query('SELECT 1 FROM tidemark.clock'), {
          timeoutMs: remainingMs,
          signal,
          hint: postgresHint,
        })
      },
      { hint: postgresHint, stop: () => logStore.close() },
    )
    await step('capture', () =>
      requireCapture(
        (text, values) => logStore.pool.query(text, values),
        catalogue.all,
        (message) => {
          logger.warn(message)
        },
      ),
    )
    await step('follower', () => tide.start(), { stop: () => tide.stop() })

    const database = await step(
      'origin',
      () =>
        createDatabase({
          url: config.DATABASE_URL,
          name: 'tidemark-read',
          maxConnections: config.DATABASE_POOL,
          verify: (client) => verifyOrigin(client, tide.follower),
        }),
      { stop: (opened) => opened.close() },
    )
    tide.listen((event) => {
      if (event.kind !== 'adopted') return
      logger.warn(
        { epoch: event.epoch },
        'a new epoch: history may have been lost, everything cached before is sunk',
      )
      logStore.renew()
      database.renew()
    })

    const redis = await step(
      'Redis',
      () =>
        requestClient({
          url: config.REDIS_URL,
          name: 'tidemark-read',
          onLost: (error) => {
            logger.warn({ err: error }, 'Redis is away: L2 is a miss, and the log is read from Postgres')
          },
        }),
      {
        stop: (client) => {
          client.disconnect()
        },
      },
    )
    const cache = await step(
      'cache',
      () =>
        createCache({
          follow: tide,
          redis,
          prefix: config.TIDEMARK_PREFIX,
          namespace: `read-${representationVersion(catalogue)}`,
          codec: representationCodec,
          l1: { maxBytes: config.L1_MAX_MIB, maxEntries: config.L1_MAX_ENTRIES },
        }),
      { stop: (made) => made.close() },
    )
    cacheMetrics(metrics, cache, tide)

    const telling = { name: 'telling operators of this reader', everyMs: announceEveryMs, logger }
    const card = { id: randomUUID(), service: 'read', prefix: config.TIDEMARK_PREFIX }
    await step(telling.name, () => repeat(() => announce(redis, tide, card), telling), {
      stop: (repeated) => repeated.stop(),
    })

    const heat = new HeatMeter({ registry: catalogue })
    const warming = { name: 'telling what is hot', everyMs: announceEveryMs, logger }
    const tell = heatTeller({ redis, prefix: card.prefix, id: card.id, hottest: () => heat.hottest() })
    await step(warming.name, () => repeat(tell, warming), { stop: (repeated) => repeated.stop() })

    const health = createHealth({
      readiness,
      logger,
      checks: [
        {
          name: 'postgres',
          check: () => logStore.pool.query('SELECT 1'),
          timeoutMs: probeTimeoutMs,
          isRequired: false,
        },
        { name: 'redis', check: () => redis.ping(), timeoutMs: probeTimeoutMs, isRequired: false },
      ],
    })
    const feed = await step('change feed', () => createChangeFeed({ log, tide }), {
      stop: (opened) => {
        opened.stop()
      },
    })
    const changes = createChangeStreams({
      ...{ feed, tide, logger },
      subscribersMax: config.CHANGES_MAX_SUBSCRIBERS,
      heartbeatMs: config.CHANGES_HEARTBEAT,
      slowMs: config.CHANGES_SLOW_AFTER,
    })
    changeMetrics(metrics, changes)
    const { app, first } = createReadApp({
      registry: catalogue,
      cache,
      tide,
      database,
      changes,
      logger,
      metrics,
      health,
      hasSurrogateKeys: config.SURROGATE_KEYS === 'true',
      heat,
    })
    const maxInFlight = requestsMax + config.CHANGES_MAX_SUBSCRIBERS
    const server = createServer({ app, first, logger, metrics, maxInFlight })
    await step(
      'HTTP server',
      async () => {
        const { port } = await server.listen({ port: config.PORT, host: config.HOST })
        logger.info({ port }, 'listening')
      },
      {
        stop: (_, signal) => {
          changes.stop()
          return server.drain(signal)
        },
      },
    )
  },
})

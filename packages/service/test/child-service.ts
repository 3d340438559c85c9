/** A service for the tests of the lifecycle: `SCENARIO` says what goes wrong. */
import { setTimeout as pause } from 'node:timers/promises'
import { commonConfig, createServer, parseConfig, runService, waitFor } from '../src/index.js'

const scenario = process.env.SCENARIO ?? ''

await runService({
  name: 'child',
  config: () => parseConfig(commonConfig, process.env),
  start: async ({ config, logger, step }) => {
    await step('Pool', () => 'pool', {
      stop: async () => {
        logger.info('pool closed')
        if (scenario === 'slow-stop') await pause(60_000)
      },
    })
    if (scenario === 'hang') {
      await step('Postgres', () => new Promise(() => undefined), { hint: 'check DATABASE_URL' })
    }
    if (scenario === 'refused') {
      await step('Redis', ({ signal, remainingMs }) =>
        waitFor('Redis', () => fetch('http://127.0.0.1:1/'), {
          timeoutMs: remainingMs + 1_000,
          signal,
          hint: 'check REDIS_URL',
        }),
      )
    }
    let received = 0
    const http = createServer({
      logger,
      app: (_req, res) => {
        logger.debug(`in flight ${String(++received)}`)
        if (scenario === 'crash') void Promise.reject(new Error('forgotten'))
        setTimeout(() => res.end('done'), 300)
      },
    })
    await step('HTTP server', () => http.listen({ port: config.PORT, host: config.HOST }), {
      stop: (_address, signal) => http.drain(signal),
    })
    logger.info({ url: http.url }, 'listening')
  },
})

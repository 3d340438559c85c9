import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CommonConfig } from '../config/common-config.js'
import { createLogger } from '../logging/logger.js'
import { reasonOf, ServiceError } from '../service-error.js'
import { createComponents, type Components } from './components.js'
import { createReadiness, type Readiness } from './readiness.js'

/**
 * The life of a service's process.
 *
 *   configure → start steps, in order → ready → draining → stopped (exit)
 *
 * SIGTERM or SIGINT begins draining, also in the middle of starting: readiness turns false first, then the parts stop
 * in reverse order of their start (the HTTP server, started last, stops accepting and finishes what is in flight while
 * everything behind it still works). A second signal exits at once.
 *
 * Exit codes: 0 after a clean drain; 1 when the service could not start, could not stop cleanly, or met an error that
 * nobody caught (which is logged as fatal and drained like a signal); 128 + n at a second signal n.
 */
export interface ServiceDefinition<C extends CommonConfig> {
  readonly name: string
  /** Reads the configuration: the `config.ts` of the service. */
  readonly config: () => C
  readonly start: (context: StartContext<C>) => Promise<void>
  /** Time between readiness turning false and the first part being stopped, for load balancers to notice. */
  readonly noticeMs?: number
}

export interface StartContext<C extends CommonConfig> {
  readonly config: C
  readonly logger: Logger
  readonly readiness: Readiness
  readonly step: Components['step']
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

/** Runs a service until its process exits. Called once, by `main.ts`. */
export async function runService<C extends CommonConfig>(definition: ServiceDefinition<C>): Promise<void> {
  const { name, config: configure, start, noticeMs = 0 } = definition
  let logger = createLogger({ name, level: 'info' })
  const exit = (code: number): never => {
    logger.flush()
    return process.exit(code)
  }

  let config: C
  try {
    config = configure()
  } catch (error) {
    logFatal(logger, error)
    return exit(1)
  }

  logger = createLogger({ name, level: config.LOG_LEVEL })
  const readiness = createReadiness()
  const components = createComponents({
    logger,
    startupTimeoutMs: config.STARTUP_TIMEOUT,
    shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT,
  })

  let exitCode = 0
  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    const wasReady = readiness.isReady
    readiness.drain()
    components.cancel()
    if (wasReady && noticeMs > 0) await pause(noticeMs)
    const isClean = await components.stop()
    if (!isClean) exitCode = 1
    logger.info({ exit_code: exitCode }, 'stopped')
    exit(exitCode)
  }

  const onSignal = (signal: keyof typeof SIGNAL_NUMBERS) => {
    if (isStopping) {
      logger.warn({ signal }, 'second signal: exiting at once')
      exit(128 + SIGNAL_NUMBERS[signal])
    }
    logger.info({ signal }, 'draining')
    void stop()
  }
  const onCrash = (kind: string) => (error: unknown) => {
    exitCode = 1
    logger.fatal({ err: error }, `${kind}: ${reasonOf(error)}`)
    void stop()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', onCrash('uncaught exception'))
  process.on('unhandledRejection', onCrash('unhandled rejection'))

  try {
    await start({ config, logger, readiness, step: components.step })
  } catch (error) {
    if (isStopping) return
    exitCode = 1
    logFatal(logger, error)
    await stop()
    return
  }
  readiness.ready()
  if (readiness.isReady) logger.info('ready')
}

/** One line. The stack is shown only for what this package did not foresee. */
function logFatal(logger: Logger, error: unknown): void {
  if (error instanceof ServiceError) logger.fatal({ code: error.code }, error.message)
  else logger.fatal({ err: error }, `could not start: ${reasonOf(error)}`)
}

import { Router } from 'express'
import type { Logger } from 'pino'
import { withDeadline } from '../lifecycle/deadline.js'
import type { Readiness } from '../lifecycle/readiness.js'
import { contextOf } from '../logging/request-context.js'
import { methodNotAllowed } from '../problems/method-not-allowed.js'
import { reasonOf, ServiceError } from '../service-error.js'

export interface HealthCheck {
  readonly name: string
  /** Resolves when all is well. The signal is aborted at the deadline. */
  readonly check: (signal: AbortSignal) => Promise<unknown> | unknown
  /** Default 1000. */
  readonly timeoutMs?: number
  /** False: a failure is reported, but the service goes on taking requests. Default true. */
  readonly isRequired?: boolean
}

/** The body of `/readyz`. Reasons stay in the log; the body says only which check, and whether it was too slow. */
export interface HealthReport {
  readonly status: 'ready' | 'degraded' | 'not-ready' | 'starting' | 'draining'
  readonly checks: Readonly<Record<string, CheckReport>>
}

interface CheckReport {
  readonly status: 'ok' | 'failed' | 'timed-out'
  readonly required: boolean
  readonly durationMs: number
}

export interface Health {
  /** `GET /livez` and `GET /readyz`. */
  readonly router: Router
  report(): Promise<HealthReport>
}

export interface HealthOptions {
  readonly readiness: Readiness
  readonly logger: Logger
  readonly checks: readonly HealthCheck[]
}

const DEFAULT_TIMEOUT_MS = 1_000

/**
 * Live means that the event loop turns. Ready means started, not draining, and every required check passed within its
 * deadline. Probes that arrive while the checks run share that run, so they cannot pile up on a store.
 */
export function createHealth({ readiness, logger, checks }: HealthOptions): Health {
  const lastStatus = new Map<string, CheckReport['status']>()
  let running: Promise<Record<string, CheckReport>> | undefined

  const runOne = async ({ name, check, timeoutMs = DEFAULT_TIMEOUT_MS, isRequired = true }: HealthCheck) => {
    const startedAt = performance.now()
    let status: CheckReport['status'] = 'ok'
    let reason: string | undefined
    try {
      await withDeadline(
        timeoutMs,
        check,
        () => new ServiceError('check_timeout', `no answer in ${String(timeoutMs)} ms`),
      )
    } catch (error) {
      status = error instanceof ServiceError && error.code === 'check_timeout' ? 'timed-out' : 'failed'
      reason = reasonOf(error)
    }
    if (status !== (lastStatus.get(name) ?? 'ok')) {
      logger[status === 'ok' ? 'info' : 'warn'](
        { check: name, status, reason },
        `check ${name} is now ${status}`,
      )
    }
    lastStatus.set(name, status)
    const durationMs = Math.round(performance.now() - startedAt)
    return [name, { status, required: isRequired, durationMs }] as const
  }

  const runAll = async () => {
    running ??= Promise.all(checks.map(runOne))
      .then((results) => Object.fromEntries(results))
      .finally(() => {
        running = undefined
      })
    return running
  }

  const report = async (): Promise<HealthReport> => {
    if (readiness.state === 'draining') return { status: 'draining', checks: {} }
    const results = await runAll()
    return { status: overall(readiness, Object.values(results)), checks: results }
  }

  const router = Router()
  router.get('/livez', (req, res) => {
    contextOf(req).route = '/livez'
    res.set('Cache-Control', 'no-store').json({ status: 'live' })
  })
  router.get('/readyz', async (req, res) => {
    contextOf(req).route = '/readyz'
    const body = await report()
    const isReady = body.status === 'ready' || body.status === 'degraded'
    res
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(body)
  })
  for (const route of ['/livez', '/readyz']) router.all(route, methodNotAllowed(route, ['GET']))
  return { router, report }
}

function overall({ state }: Readiness, results: readonly CheckReport[]): HealthReport['status'] {
  if (state !== 'ready') return state
  const failed = results.filter(({ status }) => status !== 'ok')
  if (failed.length === 0) return 'ready'
  return failed.some(({ required }) => required) ? 'not-ready' : 'degraded'
}

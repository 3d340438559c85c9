import type { Logger } from 'pino'
import { reasonOf, ServiceError } from '../service-error.js'
import { withDeadline } from './deadline.js'

/**
 * The parts of a running service, started in order and stopped in reverse.
 *
 * All starts share one bound, and so do all stops. Of the time left for stopping, each part may use everything but a
 * small reserve for each part after it: a server that takes long to drain cannot keep the pools behind it from being
 * closed, and the whole never takes longer than it was given.
 */
export interface Components {
  /**
   * Starts one part and remembers how to stop it. `name` is what an operator calls it; `hint` is what to do.
   *
   * @throws ServiceError `start_failed`, `start_timeout` or `start_cancelled`, naming the part.
   */
  step<T>(name: string, start: (stage: Stage) => Promise<T> | T, options?: StepOptions<T>): Promise<T>
  /** Gives up a start that is under way. */
  cancel(): void
  /** Stops what was started, once. True when every part stopped in its time and without an error. */
  stop(): Promise<boolean>
}

export interface Stage {
  /** Aborted when the bound for starting passes or the service is told to stop. */
  readonly signal: AbortSignal
  /** What is left of the bound for starting, in milliseconds. */
  readonly remainingMs: number
}

export interface StepOptions<T> {
  readonly hint?: string
  /** The signal is aborted when the part's time for stopping is over. */
  readonly stop?: (part: T, signal: AbortSignal) => Promise<unknown> | unknown
}

export interface ComponentsOptions {
  readonly logger: Logger
  readonly startupTimeoutMs: number
  readonly shutdownTimeoutMs: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

interface Part {
  readonly name: string
  readonly stop: (signal: AbortSignal) => Promise<unknown> | unknown
}

export function createComponents(options: ComponentsOptions): Components {
  const { logger, startupTimeoutMs, shutdownTimeoutMs, now = () => performance.now() } = options
  const beganAt = now()
  const cancelled = new AbortController()
  const parts: Part[] = []
  let stopping: Promise<boolean> | undefined

  const step: Components['step'] = async (name, start, { hint, stop } = {}) => {
    const remainingMs = startupTimeoutMs - (now() - beganAt)
    const advice = hint === undefined ? '' : `: ${hint}`
    const late = () =>
      new ServiceError(
        'start_timeout',
        `${name} did not start within the ${String(startupTimeoutMs)} ms allowed for starting${advice}`,
      )
    try {
      cancelled.signal.throwIfAborted()
      const run = (signal: AbortSignal) => start({ signal, remainingMs })
      const part = await withDeadline(remainingMs, run, late, cancelled.signal)
      if (stop !== undefined) parts.push({ name, stop: (signal) => stop(part, signal) })
      logger.debug({ step: name, duration_ms: Math.round(now() - beganAt) }, 'started')
      return part
    } catch (error) {
      throw described(name, advice, error)
    }
  }

  const stopAll = async (): Promise<boolean> => {
    const deadline = now() + shutdownTimeoutMs
    const reserveMs = Math.min(shutdownTimeoutMs / 20, shutdownTimeoutMs / (2 * Math.max(1, parts.length)))
    let isClean = true
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      isClean = (await stopOne(part, deadline - now() - reserveMs * parts.length)) && isClean
    }
    return isClean
  }

  const stopOne = async ({ name, stop }: Part, timeoutMs: number): Promise<boolean> => {
    const late = () =>
      new ServiceError('stop_timeout', `${name} did not stop within ${String(Math.round(timeoutMs))} ms`)
    try {
      await withDeadline(timeoutMs, stop, late)
      return true
    } catch (error) {
      logger.error({ step: name, err: error }, `${name} did not stop cleanly: ${reasonOf(error)}`)
      return false
    }
  }

  return {
    step,
    cancel: () => {
      cancelled.abort(new ServiceError('start_cancelled', 'told to stop while starting'))
    },
    stop: () => (stopping ??= stopAll()),
  }
}

function described(name: string, advice: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) {
    if (error.cause === undefined || error.message.includes(reasonOf(error.cause))) return error
    return new ServiceError(error.code, `${error.message} (last failure: ${reasonOf(error.cause)})`, {
      cause: error.cause,
    })
  }
  return new ServiceError('start_failed', `${name} could not start (${reasonOf(error)})${advice}`, {
    cause: error,
  })
}

import type { Logger } from 'pino'
import { reasonOf } from '../service-error.js'

export interface RepeatOptions {
  readonly name: string
  /** From the end of one run to the beginning of the next. */
  readonly everyMs: number
  /** The same after a failed run; default `everyMs`. */
  readonly afterFailureMs?: number
  readonly logger: Logger
}

export interface Repeated {
  /** Begins no further run and waits for the one under way. */
  stop(): Promise<void>
}

/**
 * Runs `work` again and again, one run at a time. A failure is logged once, and so is the recovery: a store that is
 * away for an hour makes two lines, not thousands.
 */
export function repeat(work: () => Promise<unknown>, options: RepeatOptions): Repeated {
  const { name, everyMs, afterFailureMs = everyMs, logger } = options
  let isFailing = false
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = setTimeout(begin, everyMs)

  function begin(): void {
    running = run()
  }

  async function run(): Promise<void> {
    try {
      await work()
      if (isFailing) logger.info({ task: name }, `${name} works again`)
      isFailing = false
    } catch (error) {
      if (!isFailing)
        logger.warn({ err: error, task: name }, `${name} failed, and is tried again: ${reasonOf(error)}`)
      isFailing = true
    }
    if (!isStopped) timer = setTimeout(begin, isFailing ? afterFailureMs : everyMs)
  }

  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

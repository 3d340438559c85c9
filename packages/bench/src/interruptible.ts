import { createStopStack } from '@tidemark/infra'
import type { StopStack } from '@tidemark/infra'

export interface Interruptible {
  /** What is to be ended, however the command ends. */
  readonly stack: StopStack
  /** Aborted when somebody ends the command; it then ends by itself, with exit code 130. */
  readonly signal: AbortSignal
}

/** For a command that starts servers: SIGINT and SIGTERM end them before it. `say` is told so. */
export function interruptible(say: (line: string) => void): Interruptible {
  const stack = createStopStack((error) => {
    console.error(error)
  })
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      interrupted.abort()
      say('stopping')
      void stack.unwind().then(() => process.exit(130))
    })
  return { stack, signal: interrupted.signal }
}

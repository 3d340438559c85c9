/**
 * One command, from the client's request to the token: a transaction, then a flush.
 *
 * The flush is not needed for the write to be done, only for its being seen at once: once committed, the change is in
 * the outbox, and the next flush by anyone ships it. So a flush that fails is told (no token), never an error.
 */
import type { Database } from '@tidemark/database'
import { classifyFailure } from '@tidemark/database'
import { Problem } from '@tidemark/service'
import type { Logger, TraceContext } from '@tidemark/service'
import { formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import type { Command } from './commands.js'
import type { IdempotentRequest } from './idempotency.js'
import { claim, remember } from './idempotency.js'
import type { Outcome } from './outcome.js'

interface Done {
  readonly outcome: Outcome
  /** Covers the command. Undefined: Postgres did not say in time; the change is shipped all the same. */
  readonly token: string | undefined
  /** The command was done by an earlier request with the same Idempotency-Key. */
  readonly isReplay: boolean
}

interface CommandRequest {
  readonly idempotent?: IdempotentRequest | undefined
  readonly trace?: TraceContext | undefined
}

export type RunCommand = (command: Command, request: CommandRequest) => Promise<Done>

export interface RunCommandOptions {
  readonly database: Database
  /** Sequences and ships; the token covers everything committed before the call. */
  readonly flush: () => Promise<Token>
  readonly logger: Logger
  readonly onFlushFailed: () => void
}

export function createRunCommand({ database, flush, logger, onFlushFailed }: RunCommandOptions): RunCommand {
  async function tokenOf(): Promise<string | undefined> {
    try {
      return formatToken(await flush())
    } catch (error) {
      onFlushFailed()
      logger.warn({ err: error }, 'committed, but not flushed: the answer carries no token')
      return undefined
    }
  }

  return async (command, { idempotent, trace }) => {
    const { outcome, isReplay } = await database.prisma
      .$transaction(
        async (tx) => {
          const earlier = idempotent && (await claim(tx, idempotent))
          if (earlier !== undefined) return { outcome: earlier, isReplay: true }
          if (trace !== undefined)
            await tx.$queryRaw`SELECT set_config('tidemark.trace', ${trace.traceparent}, true)`
          const outcome = await command(tx)
          if (idempotent !== undefined) await remember(tx, idempotent, outcome)
          return { outcome, isReplay: false }
        },
        { isolationLevel: 'ReadCommitted' },
      )
      .catch((error: unknown) => {
        throw idempotent !== undefined && isLockTimeout(error) ? stillRunning(idempotent) : error
      })
    return { outcome, isReplay, token: await tokenOf() }
  }
}

const isLockTimeout = (error: unknown): boolean => {
  const failure = classifyFailure(error)
  return failure.kind === 'unavailable' && /lock timeout/.test(failure.reason)
}

function stillRunning({ key }: IdempotentRequest): Problem {
  return new Problem('conflict', {
    detail:
      'Another request holds what this one needs; if it has the same Idempotency-Key, wait for its answer.',
    errors: [
      { in: 'header', field: 'Idempotency-Key', message: 'may still be in use', given: key.slice(0, 100) },
    ],
    headers: { 'Retry-After': '1' },
  })
}

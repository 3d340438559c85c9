/**
 * What the outbox needs now and then.
 *
 * Rows leave it moments after they came. Looks at it begin past what is dead (see the migration outbox_bound), so that is no
 * matter of speed but of size: it is vacuumed before it grows. And a row that lies below the bound, which only an id chosen
 * by hand can bring about, is found here instead of never.
 */
import { repeat } from '@tidemark/service'
import type { Logger } from '@tidemark/service'

const vacuumEveryMs = 10_000
const strayEveryMs = 60_000

export interface OutboxCare {
  /** Rows found below the bound, since the start. */
  strays(): number
  stop(): Promise<void>
}

export interface OutboxCareOptions {
  readonly query: (text: string) => Promise<{ rows: Record<string, unknown>[] }>
  readonly logger: Logger
}

export function keepOutbox({ query, logger }: OutboxCareOptions): OutboxCare {
  let found = 0
  // Where another service is at it already, it is left to that one.
  const vacuum = () => query('VACUUM (SKIP_LOCKED, TRUNCATE false) tidemark.outbox')
  const findStrays = async (): Promise<void> => {
    const { rows } = await query('SELECT tidemark.find_strays()::int AS strays')
    const strays = Number(rows[0]?.['strays'])
    if (strays > 0)
      logger.warn(
        { strays },
        'changes lay below the bound of the outbox: somebody writes ids of his own choice',
      )
    found += strays
  }
  const jobs = [
    repeat(vacuum, { name: 'vacuuming of the outbox', everyMs: vacuumEveryMs, logger }),
    repeat(findStrays, { name: 'the search for strays in the outbox', everyMs: strayEveryMs, logger }),
  ]
  return {
    strays: () => found,
    async stop() {
      await Promise.all(jobs.map((job) => job.stop()))
    },
  }
}

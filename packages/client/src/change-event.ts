/** What the change feed tells, as it comes over the wire. Fields that this version does not know are left alone. */
import { z } from 'zod'
import { ClientError } from './client-error.js'

const change = z.object({
  resource: z.string(),
  key: z.string().nullable(),
  operation: z.string(),
  tags: z.array(z.string()),
  version: z.number().nullable(),
  changedAt: z.number(),
  token: z.string(),
})
const reset = z.object({ reason: z.string(), token: z.string() })
const heartbeat = z.object({ token: z.string(), lagMs: z.number().nullable() })

/** One committed write. */
export interface Change {
  /** As in tags: `product`; `-` for data outside Postgres. */
  readonly resource: string
  /** Null where a statement touched many rows, and for data outside Postgres. */
  readonly key: string | null
  /** `insert`, `update`, `delete`, `bulk`, `truncate`, `invalidate`; others may come. */
  readonly operation: string
  readonly tags: readonly string[]
  /** Of the row after it. */
  readonly version: number | null
  /** Epoch milliseconds by the clock of Postgres. */
  readonly changedAt: number
  /** Covers the change: a read that sends it as `Tidemark` sees it. */
  readonly token: string
}

interface Resumable {
  /** Where to go on from once this event is handled: store it, and give it as `from`. */
  readonly resume: string
}

export type FeedEvent =
  | ({ readonly kind: 'change' } & Change & Resumable)
  /**
   * Changes were missed, or may have been: throw away what was derived from earlier ones. `trimmed`: they are no longer
   * kept; `lost`, `epoch`: Postgres may have lost history; `unknown`: `from` is no place in this log.
   */
  | ({ readonly kind: 'reset'; readonly reason: string; readonly token: string } & Resumable)
  /** All that was committed more than `lagMs` ago was told before; null: no bound can be shown. */
  | ({ readonly kind: 'heartbeat'; readonly token: string; readonly lagMs: number | null } & Resumable)

interface Message {
  readonly event?: string | undefined
  readonly id?: string | undefined
  readonly data: string
}

/**
 * Undefined for an event of a kind that this version does not know. `before` is where to resume without this event: one
 * without an id is not the last of its position.
 *
 * @throws ClientError `client.malformed`
 */
export function parseEvent({ event, id, data }: Message, before: string): FeedEvent | undefined {
  const resume = id ?? before
  switch (event) {
    case 'change':
      return { kind: event, ...parse(change, event, data), resume }
    case 'reset':
      return { kind: event, ...parse(reset, event, data), resume }
    case 'heartbeat':
      return { kind: event, ...parse(heartbeat, event, data), resume }
    default:
      return undefined
  }
}

const shownCharacters = 100

function parse<S extends z.ZodType>(schema: S, event: string, data: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(data))
  } catch (cause) {
    const message = `the event ${event} is not of the feed's shape: ${data.slice(0, shownCharacters)}`
    throw new ClientError('client.malformed', message, { cause })
  }
}

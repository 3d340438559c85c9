/**
 * What a hook is told, cut from a page of the log.
 *
 * A message holds the changes of one or more positions, up to a bound; a position with more is told in several. Its id is
 * made of what it holds, so a page that comes again after a crash makes the same messages again, and those that are known
 * still are added once. Where the page that comes again reaches further, a change may be told in two messages: never in none.
 */
import { createHash } from 'node:crypto'
import { passing } from '@tidemark/log'
import type { Change, ChangeFilter, FeedPart, LogEntry } from '@tidemark/log'
import { formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'

/** As the change feed of the read service tells it; `token` covers the change. */
type ToldChange = Pick<Change, 'resource' | 'key' | 'operation' | 'tags' | 'version' | 'changedAt'> & {
  readonly token: string
}

interface MessageBase {
  /** Unique among the hook's; BullMQ wants no colon in it, Standard Webhooks no full stop. */
  readonly id: string
  /** Covers what is told. */
  readonly token: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export type Message = MessageBase &
  (
    | { readonly kind: 'changes'; readonly changes: readonly ToldChange[] }
    /** Changes were missed, or committed ones lost: everything that was told before may be out of date. */
    | { readonly kind: 'reset'; readonly reason: ResetReason }
  )

/** `epoch`: Postgres may have lost commits. The others: the log no longer goes back to where the hook had come. */
type ResetReason = 'epoch' | 'trimmed' | 'lost' | 'unknown'

export const changesMax = 200
export const bytesMax = 262_144

export function messagesOf(part: FeedPart, filter: ChangeFilter): Message[] {
  if (part.kind === 'gone') return [reset(part.head, part.reason, Date.now())]
  const messages: Message[] = []
  const passes = passing(filter)
  let open: { changes: ToldChange[]; bytes: number; last: LogEntry } | undefined
  const close = (): void => {
    if (open !== undefined) messages.push(changes(open.changes, open.last))
    open = undefined
  }
  for (const entry of part.entries)
    for (const change of entry.changes) {
      if (change.operation === 'epoch') {
        close()
        messages.push(reset(tokenOf(entry), 'epoch', entry.sequencedAt))
      }
      if (change.operation === 'epoch' || passes?.(change) === false) continue
      const { resource, key, operation, tags, version, changedAt } = change
      const token = formatToken(tokenOf(entry))
      const told = { resource, key, operation, tags, version, changedAt, token }
      const bytes = Buffer.byteLength(JSON.stringify(told))
      if (open !== undefined && (open.changes.length >= changesMax || open.bytes + bytes > bytesMax)) close()
      open ??= { changes: [], bytes: 0, last: entry }
      open.changes.push(told)
      open.bytes += bytes
      open.last = entry
    }
  close()
  return messages
}

const tokenOf = (entry: LogEntry): Token => ({ term: entry.epoch.term, position: entry.position })

function changes(told: readonly ToldChange[], last: LogEntry): Message {
  const token = tokenOf(last)
  const id = idOf(token, JSON.stringify(told))
  return { id, kind: 'changes', token: formatToken(token), at: last.sequencedAt, changes: told }
}

const reset = (token: Token, reason: ResetReason, at: number): Message => ({
  id: idOf(token, `reset ${reason}`),
  kind: 'reset',
  token: formatToken(token),
  at,
  reason,
})

const idOf = ({ term, position }: Token, content: string): string =>
  `${term}-${position}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`

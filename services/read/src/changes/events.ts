/**
 * Changes as server-sent events.
 *
 *   change     one change; `token` covers it: a read that sends it as `Tidemark` sees the change
 *   reset      history between what was told and this is gone, or may be: what was derived before is worth nothing
 *   heartbeat  nothing else happened; tells how far the subscriber has come, also where its filter let nothing pass
 *
 * An `id` is a place to go on from. It stands on the last event of a position alone, so a subscriber that breaks off in the
 * middle of a position is told all of it again. A browser's EventSource keeps the id of a heartbeat by itself.
 */
import type { Change, LogEntry } from '@tidemark/log'
import { formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'

export type ResetReason = 'trimmed' | 'lost' | 'unknown' | 'epoch'

/** How long a client without ideas of its own waits before it connects again. */
const retryMs = 1_000

export const opening = `retry: ${retryMs}\n\n`

export const resetEvent = (reason: ResetReason, place: Token): string =>
  event('reset', { reason, token: formatToken(place) }, place)

export const isResetEvent = (text: string): boolean => text.startsWith('event: reset\n')

/** `lagMs`: all that was committed longer ago was told before; null: no bound can be shown. */
export const heartbeatEvent = (place: Token, lagMs: number | null): string =>
  event('heartbeat', { token: formatToken(place), lagMs }, place)

/** The events of a position that pass; the last of them carries the id. Empty: none passes. */
export function entryEvents(
  entry: LogEntry,
  passes: ((change: Change) => boolean) | undefined,
): readonly string[] {
  const told = (encoded.get(entry) ?? encode(entry)).filter(
    ({ change }) => isReset(change) || (passes?.(change) ?? true),
  )
  return told.map(({ open, whole }, index) => (index === told.length - 1 ? whole : open))
}

interface EncodedChange {
  readonly change: Change
  /** Without the id. */
  readonly open: string
  readonly whole: string
}

/** Each position is encoded once, however many subscribers are told of it. */
const encoded = new WeakMap<LogEntry, readonly EncodedChange[]>()

function encode(entry: LogEntry): readonly EncodedChange[] {
  const place = { term: entry.epoch.term, position: entry.position }
  const made = entry.changes.map((change) => {
    if (isReset(change)) return { change, open: '', whole: resetEvent('epoch', place) }
    const { resource, key, operation, tags, version, changedAt } = change
    const data = { resource, key, operation, tags, version, changedAt, token: formatToken(place) }
    return { change, open: event('change', data), whole: event('change', data, place) }
  })
  encoded.set(entry, made)
  return made
}

const isReset = ({ operation }: Change): boolean => operation === 'epoch'

/** JSON text has no line breaks, so the data is one line. */
const event = (name: 'change' | 'reset' | 'heartbeat', data: object, id?: Token): string =>
  `event: ${name}\n${id === undefined ? '' : `id: ${formatToken(id)}\n`}data: ${JSON.stringify(data)}\n\n`

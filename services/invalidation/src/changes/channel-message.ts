/**
 * What light subscribers are told over Redis' pub/sub: one message for each position of the log, on the channel of all and
 * on the channel of each resource that the position touches. A message is short: what does not fit is abridged, and says
 * no more than that something of the resource has changed.
 */
import type { Change, LogEntry } from '@tidemark/log'
import { everything, formatToken, resourceOf } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'

/** A position as it is published. */
export interface Announcement {
  readonly place: Token
  /** For the channel of all, or for every channel there is. */
  readonly text: string
  /** What everyone is told where it does not continue what was told before. */
  readonly reset: string
  readonly isForEveryone: boolean
  /** By resource. */
  readonly channels: ReadonlyMap<string, string>
}

/** Changes were missed, or may have been: `epoch`, `missed`. */
const resetMessage = (place: Token, reason: 'epoch' | 'missed'): string =>
  JSON.stringify({ token: formatToken(place), reset: reason })

export function announceReset(place: Token, reason: 'epoch' | 'missed'): Announcement {
  const reset = resetMessage(place, reason)
  return { place, text: reset, reset, isForEveryone: true, channels: new Map() }
}

/** In characters. */
const messageMax = 8_192
/** A position that touches more resources is told on all channels that have subscribers. */
const channelsMax = 32

export function announceEntry(entry: LogEntry): Announcement {
  const place = { term: entry.epoch.term, position: entry.position }
  const { changes, isAbridged } = entry
  if (changes.some(({ operation }) => operation === 'epoch')) return announceReset(place, 'epoch')
  const resources = new Set<string>()
  for (const tag of entry.tags) resources.add(resourceOf(tag) ?? '')
  for (const { resource } of changes) if (resourceOf(resource) === resource) resources.add(resource)
  resources.delete('')
  const isForEveryone = entry.tags.includes(everything) || resources.size > channelsMax
  const told = isAbridged ? undefined : changes
  const channels = isForEveryone
    ? []
    : [...resources].map(
        (name) =>
          [
            name,
            message(
              place,
              told?.filter((change) => isOf(change, name)),
            ),
          ] as const,
      )
  return {
    ...{ place, text: message(place, told), reset: resetMessage(place, 'missed'), isForEveryone },
    channels: new Map(channels),
  }
}

const isOf = ({ resource, tags }: Change, name: string): boolean =>
  resource === name || tags.some((tag) => resourceOf(tag) === name)

function message(place: Token, changes: readonly Change[] | undefined): string {
  const token = formatToken(place)
  const told = changes?.map(({ resource, key, operation, tags, version, changedAt }) => ({
    ...{ resource, key, operation, tags, version, changedAt },
  }))
  const text = JSON.stringify({ token, changes: told ?? null })
  return text.length <= messageMax ? text : JSON.stringify({ token, changes: null })
}

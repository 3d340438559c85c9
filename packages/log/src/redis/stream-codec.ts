/**
 * The stream's entries. A link `position-0`: m mark, q previous mark, t term, e nonce of the epoch, k tags (JSON),
 * c changes (JSON), s sequenced at. A heartbeat `position-k`: m, t, e of the last link, g generation, n count. Both: z
 * bytes added to the stream up to here.
 *
 * An entry is small, so that many fit in the stream's bytes. Changes that are long are left out: they are details, for
 * listeners. Tags are what floors rise by and cannot be left out, but raising more floors is always safe: a list of tags
 * too long to ship is shipped as `*`, under which every floor rises. Only `*` is safe for all: not every value whose tag
 * is `name:key` carries `name!all` too. Whoever follows the log in Postgres gets the list itself.
 */

import type { Beat, Epoch, Link } from '@tidemark/tide'
import { everything } from '@tidemark/tide'

import type { Change, LogEntry } from '../entry.js'
import { parseChanges, parseInteger, parseTags } from '../entry.js'

const maxChangesBytes = 16 * 1024

/** Some three times what a batch of 500 changes of a resource with four facets has. */
const maxTagsBytes = 128 * 1024

/** What the last entry of a stream says: where it ends. */
export interface Tail {
  readonly id: StreamId
  readonly epoch: Epoch
  readonly link: Link
}

/** Ordered as numbers: `9-0` comes before `10-0`. The numbers are exact up to 2^53 only, which is all that a log's go to. */
export interface StreamId {
  readonly text: string
  readonly position: number
  readonly sequence: number
}

export type StreamItem =
  { readonly kind: 'link'; readonly entry: LogEntry } | { readonly kind: 'beat'; readonly beat: Beat }

/** One entry of a stream as ioredis gives it: its ID, and names and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** Eight arguments of the append script. */
export function encodeLink(entry: LogEntry): string[] {
  return [
    String(entry.position),
    String(entry.mark),
    String(entry.previousMark),
    String(entry.epoch.term),
    String(entry.epoch.nonce),
    ...encodeBody(entry.tags, entry.isAbridged ? undefined : entry.changes),
    String(entry.sequencedAt),
  ]
}

/** What a link touches, and its details, as far as they are short enough to travel. */
export function encodeBody(
  touched: readonly string[],
  details: readonly Change[] | undefined,
): readonly [tags: string, changes: string] {
  const tags = JSON.stringify(touched)
  const changes = details === undefined ? '' : JSON.stringify(details)
  return [
    Buffer.byteLength(tags) > maxTagsBytes ? JSON.stringify([everything]) : tags,
    Buffer.byteLength(changes) > maxChangesBytes ? '' : changes,
  ]
}

/** Undefined for an entry that is not of this log's shape: what it stood for shows as a gap. */
export function decodeItem([id, fields]: RawEntry): StreamItem | undefined {
  try {
    const field = fieldsOf(fields)
    const { position, sequence } = streamId(id)
    parseInteger(position, 'id')
    const epoch = { term: parseInteger(field['t'], 't'), nonce: parseInteger(field['e'], 'e') }
    const mark = parseInteger(field['m'], 'm')
    if (sequence > 0) {
      const generation = parseInteger(field['g'], 'g')
      const count = parseInteger(field['n'], 'n')
      return { kind: 'beat', beat: { epoch, link: { position, mark }, generation, count } }
    }
    return { kind: 'link', entry: new ShippedEntry(position, mark, epoch, field) }
  } catch {
    return undefined
  }
}

/** Undefined for an empty stream, and for one that ends in something that is no entry of a log. */
export function decodeTail([newest]: readonly RawEntry[]): Tail | undefined {
  const item = newest && decodeItem(newest)
  if (newest === undefined || item === undefined) return undefined
  const id = streamId(newest[0])
  if (item.kind === 'beat') return { id, epoch: item.beat.epoch, link: item.beat.link }
  const { epoch, position, mark } = item.entry
  return { id, epoch, link: { position, mark } }
}

/** Whatever the ID: a reader has to get past a foreign one too. */
export function streamId(text: string): StreamId {
  const dash = text.indexOf('-')
  return { text, position: Number(text.slice(0, dash)), sequence: Number(text.slice(dash + 1)) }
}

export const linkId = (position: number): StreamId => ({ text: `${position}-0`, position, sequence: 0 })

export const isBefore = (a: StreamId, b: StreamId): boolean =>
  a.position < b.position || (a.position === b.position && a.sequence < b.sequence)

/** Most followers never look at the changes, so their text is parsed when somebody does. */
class ShippedEntry implements LogEntry {
  readonly position: number
  readonly mark: number
  readonly previousMark: number
  readonly epoch: Epoch
  readonly tags: readonly string[]
  readonly sequencedAt: number
  readonly #changesText: string
  #changes: readonly Change[] | undefined

  constructor(position: number, mark: number, epoch: Epoch, field: Fields) {
    this.position = position
    this.mark = mark
    this.epoch = epoch
    this.previousMark = parseInteger(field['q'], 'q')
    this.tags = parseTags(JSON.parse(field['k'] ?? ''), 'k')
    this.sequencedAt = parseInteger(field['s'], 's')
    this.#changesText = field['c'] ?? ''
  }

  get isAbridged(): boolean {
    return this.#changesText === ''
  }

  get changes(): readonly Change[] {
    return (this.#changes ??= decodeChanges(this.#changesText))
  }
}

function decodeChanges(text: string): readonly Change[] {
  if (text === '') return []
  try {
    return parseChanges(JSON.parse(text))
  } catch {
    return []
  }
}

type Fields = Readonly<Record<string, string | undefined>>

function fieldsOf(flat: readonly string[]): Fields {
  const fields: Record<string, string | undefined> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]
  return fields
}

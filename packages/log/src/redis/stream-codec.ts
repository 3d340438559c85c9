/**
 * The stream's entries. A link `position-0`: m mark, q previous mark, t term, e nonce of the epoch, k tags (JSON),
 * c changes (JSON), s sequenced at. A heartbeat `position-k`: m, t, e of the last link, g generation, n count.
 */

import type { Beat, Epoch, Link } from '@tidemark/tide'

import type { Change, LogEntry } from '../entry.js'
import { parseChanges, parseInteger, parseTags } from '../entry.js'

/** Larger details are left out of the stream, tags never are. In UTF-16 code units of the JSON. */
const maxChangesLength = 256 * 1024

/** What the last entry of a stream says: where it ends. */
export interface Tail {
  readonly id: StreamId
  readonly epoch: Epoch
  readonly link: Link
}

/** Compared as numbers: `9-0` comes before `10-0`. */
export interface StreamId {
  readonly position: number
  readonly sequence: number
}

export type StreamItem =
  { readonly kind: 'link'; readonly entry: LogEntry } | { readonly kind: 'beat'; readonly beat: Beat }

/** One entry of a stream as ioredis gives it: its ID, and names and values in turn. */
export type RawEntry = readonly [id: string, fields: readonly string[]]

/** Eight arguments of the append script. */
export function encodeLink(entry: LogEntry): string[] {
  const changes = entry.isAbridged ? '' : JSON.stringify(entry.changes)
  return [
    String(entry.position),
    String(entry.mark),
    String(entry.previousMark),
    String(entry.epoch.term),
    String(entry.epoch.nonce),
    JSON.stringify(entry.tags),
    changes.length > maxChangesLength ? '' : changes,
    String(entry.sequencedAt),
  ]
}

/** Undefined for an entry that is not of this log's shape: what it stood for shows as a gap. */
export function decodeItem([id, fields]: RawEntry): StreamItem | undefined {
  try {
    const field = fieldsOf(fields)
    const { position, sequence } = parseStreamId(id)
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
  const id = parseStreamId(newest[0])
  if (item.kind === 'beat') return { id, epoch: item.beat.epoch, link: item.beat.link }
  const { epoch, position, mark } = item.entry
  return { id, epoch, link: { position, mark } }
}

export function parseStreamId(id: string): StreamId {
  const dash = id.indexOf('-')
  return { position: parseInteger(id.slice(0, dash), 'id'), sequence: parseInteger(id.slice(dash + 1), 'id') }
}

export const formatStreamId = ({ position, sequence }: StreamId): string => `${position}-${sequence}`

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

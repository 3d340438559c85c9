import type { Epoch, Step } from '@tidemark/tide'

import { LogError } from './errors.js'

/** One committed write, as the triggers captured it. `changedAt` and `sequencedAt` are epoch milliseconds of Postgres. */
export interface Change {
  readonly resource: string
  readonly key: string | null
  /** `insert`, `update`, `delete`, `bulk`, `truncate`, `invalidate` or `epoch`; readers let pass what they do not know. */
  readonly operation: string
  readonly tags: readonly string[]
  readonly version: number | null
  readonly changedAt: number
  readonly trace: string | null
  readonly reason: string | null
}

/** One position of the log. `changes` is empty where `isAbridged`: the entry was too large to ship with its details. */
export interface LogEntry extends Step {
  readonly changes: readonly Change[]
  readonly isAbridged: boolean
  readonly sequencedAt: number
}

/** A non-negative integer below 2^53 from a number, a bigint or their text; Postgres drivers give bigint as text. */
export function parseInteger(value: unknown, name: string): number {
  const number =
    typeof value === 'string' && value !== ''
      ? Number(value)
      : typeof value === 'bigint'
        ? Number(value)
        : value
  if (Number.isSafeInteger(number) && (number as number) >= 0) return number as number
  throw new LogError('log.malformed', `${name}: ${describe(value)} is not an integer from 0 to 2^53`)
}

export function parseTags(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((tag) => typeof tag === 'string')) return value
  throw new LogError('log.malformed', `${name}: ${describe(value)} is not a list of tags`)
}

export function parseChanges(value: unknown): readonly Change[] {
  if (Array.isArray(value)) return value.map(parseChange)
  throw new LogError('log.malformed', `changes: ${describe(value)} is not a list`)
}

/** The fields of a log row under the names that `tidemark.sequence()` gives them. */
export function parseEntry(row: Readonly<Record<string, unknown>>): LogEntry {
  return {
    position: parseInteger(row['position'], 'position'),
    mark: parseInteger(row['mark'], 'mark'),
    previousMark: parseInteger(row['previousMark'], 'previousMark'),
    epoch: parseEpoch(row),
    tags: parseTags(row['tags'], 'tags'),
    changes: parseChanges(row['changes']),
    isAbridged: false,
    sequencedAt: parseInteger(row['sequencedAt'], 'sequencedAt'),
  }
}

export const parseEpoch = (row: Readonly<Record<string, unknown>>): Epoch => ({
  term: parseInteger(row['term'], 'term'),
  nonce: parseInteger(row['nonce'], 'nonce'),
})

function parseChange(value: unknown): Change {
  const row = (value ?? {}) as Record<string, unknown>
  if (typeof row['resource'] !== 'string' || typeof row['operation'] !== 'string')
    throw new LogError('log.malformed', `changes: ${describe(value)} names no resource or operation`)
  return {
    resource: row['resource'],
    key: textOrNull(row['key']),
    operation: row['operation'],
    tags: parseTags(row['tags'], 'changes.tags'),
    version: typeof row['version'] === 'number' ? row['version'] : null,
    changedAt: parseInteger(row['changedAt'], 'changes.changedAt'),
    trace: textOrNull(row['trace']),
    reason: textOrNull(row['reason']),
  }
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const describe = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80)

import type { Token } from '@tidemark/tide'

import type { LogEntry } from '../entry.js'

/** The newest entries of the log without holes, each naming the mark of the one before it. */
export interface RecentEntries {
  push(entry: LogEntry): void
  clear(): void
  /** Whether `place` is the last of them. */
  isHead(place: Token): boolean
  /** What follows `place`; undefined: they do not go back so far, or not to this history. */
  after(place: Token, limit: number): readonly LogEntry[] | undefined
}

/** Tags and changes held besides the entries' number: an entry may carry hundreds of each. */
const changesMax = 20_000

export function recentEntries(entriesMax: number): RecentEntries {
  let entries: LogEntry[] = []
  let changes = 0

  const clear = (): void => {
    entries = []
    changes = 0
  }
  /** Index of what follows the place. A term has each position once, so the one just before the first is known too. */
  const indexAfter = ({ term, position }: Token): number | undefined => {
    const [first] = entries
    if (first === undefined) return undefined
    const index = position - first.position
    return entries[Math.max(0, index)]?.epoch.term === term && index >= -1 ? index + 1 : undefined
  }
  return {
    clear,
    push(entry) {
      const last = entries.at(-1)
      if (last !== undefined && (last.position !== entry.position - 1 || last.mark !== entry.previousMark))
        clear()
      // Its changes were left out on the way: they are read from the log, and so is what comes before them.
      if (entry.isAbridged) {
        clear()
        return
      }
      entries.push(entry)
      changes += entry.changes.length
      // By halves, so that dropping the oldest does not move all the others each time.
      if (entries.length > entriesMax || changes > changesMax) {
        entries = entries.slice(Math.ceil(entries.length / 2))
        changes = entries.reduce((sum, { changes: { length } }) => sum + length, 0)
      }
    },
    isHead(place) {
      const last = entries.at(-1)
      return last?.position === place.position && last.epoch.term === place.term
    },
    after(place, limit) {
      const index = indexAfter(place)
      return index === undefined ? undefined : entries.slice(index, index + limit)
    },
  }
}

import type { Token } from '@tidemark/tide'

import type { LogEntry } from '../entry.js'

/** The newest entries of the log without holes, each naming the mark of the one before it. */
export interface RecentEntries {
  push(entry: LogEntry): void
  clear(): void
  /** What follows `place`; undefined: they do not go back so far, or not to this history. */
  after(place: Token, limit: number): readonly LogEntry[] | undefined
}

/**
 * Besides the entries' number: one may touch hundreds of tags. Tags stand for changes, whose text is not to be parsed before
 * somebody asks for it.
 */
const tagsMax = 20_000

export function recentEntries(entriesMax: number): RecentEntries {
  let entries: LogEntry[] = []
  let tags = 0

  const clear = (): void => {
    entries = []
    tags = 0
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
      tags += entry.tags.length
      // By halves, so that dropping the oldest does not move all the others each time.
      if (entries.length > entriesMax || tags > tagsMax) {
        entries = entries.slice(Math.ceil(entries.length / 2))
        tags = entries.reduce((sum, { tags: { length } }) => sum + length, 0)
      }
    },
    after(place, limit) {
      const index = indexAfter(place)
      return index === undefined ? undefined : entries.slice(index, index + limit)
    },
  }
}

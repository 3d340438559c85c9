/**
 * The log for those who want its changes in order, from a place of their own: event streams, webhooks, publishers.
 *
 * The newest positions are held in memory, fed by what the follower applies, so any number of consumers at the head cost
 * no query. Who is further behind reads the log in Postgres, page by page; consumers at one place share one read, also of
 * a position that was too large to be shipped whole.
 *
 * A place is a token, and names a position of one term. It continues if the log has that position in that term: then
 * everything after it is in what follows. If not, changes may lie between that nobody can tell any more, and the answer is
 * `gone`; the consumer begins anew at the head. A new epoch inside of a page is an entry like any other, whose change is an
 * `epoch`: what was committed just before it may be lost.
 */

import type { Token } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import type { LogEntry } from '../entry.js'
import type { FollowEvent } from '../follow/observed-follower.js'
import type { LiveFollower } from '../follow/tide.js'
import type { LogDatabase } from '../postgres/log-database.js'
import { createLogReader } from '../postgres/log-reader.js'
import { recentEntries } from './recent-entries.js'

export type FeedPage =
  /** What comes after the place asked for, oldest first; empty when nothing came in time. `at`: the place to go on from. */
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[]; readonly at: Token }
  /**
   * History between the place and the log is gone: `trimmed`, or `lost` with a new epoch. `unknown`: the log has not
   * come so far, or never will. Go on from `head`.
   */
  | { readonly kind: 'gone'; readonly reason: 'trimmed' | 'lost' | 'unknown'; readonly head: Token }

export interface FeedWait {
  /** Most entries of one page; default and at most 64. */
  readonly limit?: number
  /** How long to wait for something to come; default 0. */
  readonly waitMs?: number
  /** Ends the wait. */
  readonly signal?: AbortSignal
}

export interface ChangeFeed {
  /** The log's head, asked of the log itself. @throws LogError `log.unreachable` */
  head(): Promise<Token>
  /** @throws LogError `log.unreachable` where the place is not in memory and Postgres does not answer */
  after(place: Token, wait?: FeedWait): Promise<FeedPage>
  /** Lets go of the follower; waiting calls end with an empty page. */
  stop(): void
}

export interface FeedOptions {
  readonly log: LogDatabase
  readonly tide: LiveFollower
  /** Positions held in memory. */
  readonly recentMax?: number
  /** Consumers that wait at one time; more get their empty page at once. */
  readonly waitersMax?: number
  readonly timeoutMs?: number
  readonly clock?: Clock
}

const pageMax = 64
/** Consumers woken in one turn of the event loop: a process that serves more than them answers others in between. */
const wokenAtOnce = 64

/** @example const feed = createChangeFeed({ log: logDatabase(pool), tide }); await feed.after(await feed.head(), { waitMs: 5_000 }) */
export function createChangeFeed({
  log,
  tide,
  recentMax = 1_000,
  waitersMax = 10_000,
  timeoutMs = 2_000,
  clock = systemClock,
}: FeedOptions): ChangeFeed {
  const reader = createLogReader(log, timeoutMs)
  const recent = recentEntries(recentMax)
  const reading = new Map<string, Promise<FeedPage>>()
  const waking = new Set<() => void>()
  let due = 0
  let isWaking = false
  let steps = 0
  let isStopped = false

  /** Those who have waited longest; who comes back meanwhile stands at the end, and is not due. */
  const wakeSome = (): void => {
    let left = Math.min(due, wokenAtOnce)
    due -= left
    for (const wake of waking) {
      if (left-- === 0) break
      wake()
    }
    due = Math.min(due, waking.size)
    isWaking = due > 0
    if (isWaking) setImmediate(wakeSome)
  }

  const unlisten = tide.listen((event: FollowEvent) => {
    steps++
    if (event.kind === 'applied') recent.push(event.entry)
    else recent.clear()
    due = waking.size
    if (!isWaking) wakeSome()
  })

  const wait = (waitMs: number, signal: AbortSignal | undefined): Promise<void> => {
    if (isStopped || waking.size >= waitersMax) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel()
        signal?.removeEventListener('abort', wake)
        waking.delete(wake)
        resolve()
      }
      const cancel = clock.after(waitMs, wake)
      signal?.addEventListener('abort', wake)
      waking.add(wake)
    })
  }

  /** The last position applied is the head as far as is known here, whether or not its changes are held. */
  const isHead = ({ term, position }: Token): boolean => {
    const { token } = tide.follower
    return token?.position === position && token.term === term
  }

  /** Shared only by those who came since the last step: a read begun before it may lack what that step brought. */
  const readTogether = (place: Token, limit: number): Promise<FeedPage> => {
    const name = `${steps} ${place.term} ${place.position} ${limit}`
    const running = reading.get(name)
    if (running !== undefined) return running
    const begun = read(place, limit).finally(() => reading.delete(name))
    reading.set(name, begun)
    return begun
  }

  const read = async (place: Token, limit: number): Promise<FeedPage> => {
    const [first, ...rest] = await reader.page(place.position, limit + 1)
    if (first?.position === place.position && first.epoch.term === place.term) return page(place, rest)
    const { epoch, link, oldest } = await reader.whereabouts(place.position)
    const head = { term: epoch.term, position: link.position }
    if (place.term < epoch.term) return { kind: 'gone', reason: 'lost', head }
    const isTrimmed = place.term === epoch.term && place.position < oldest
    return { kind: 'gone', reason: isTrimmed ? 'trimmed' : 'unknown', head }
  }

  return {
    async head() {
      const { epoch, link } = await reader.whereabouts(0)
      return { term: epoch.term, position: link.position }
    },
    async after(place, { limit = pageMax, waitMs = 0, signal } = {}) {
      const most = Math.min(limit, pageMax)
      for (let waited = false; ; waited = true) {
        const seen = steps
        const held = isHead(place) ? [] : recent.after(place, most)
        const found = held === undefined ? await readTogether(place, most) : page(place, held)
        if (found.kind === 'gone' || found.entries.length > 0) return found
        if (waited || waitMs === 0 || signal?.aborted) return found
        // What came while the log was read would wake nobody.
        if (seen === steps) await wait(waitMs, signal)
      }
    },
    stop() {
      unlisten()
      isStopped = true
      for (const wake of waking) wake()
    },
  }
}

function page(place: Token, entries: readonly LogEntry[]): FeedPage {
  const last = entries.at(-1)
  return {
    kind: 'entries',
    entries,
    at: last === undefined ? place : { term: last.epoch.term, position: last.position },
  }
}

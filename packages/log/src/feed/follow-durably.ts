/**
 * A consumer that misses nothing: it goes through the log from a stored place, and the place moves only after what lies
 * before it was handled. So each change is handled once or more, in order, by one of the processes that ask for the cursor.
 *
 *   waiting   another holds the lease: asks again every half of it
 *   serving   reads a page, hands it over, stores the place, which renews the lease; where a page takes longer than the
 *             lease another may begin on the same page, and both handle it: never none
 *
 * A failure of any kind ends the serving for `restMs`; the page comes again.
 */

import { randomUUID } from 'node:crypto'

import type { Token } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { pause, systemClock } from '../clock.js'
import type { LogEntry } from '../entry.js'
import type { ChangeFeed } from './change-feed.js'
import type { Cursors } from './cursors.js'

export type FeedPart =
  | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
  /** Changes were missed: the log no longer goes back to the cursor. It goes on after `head`. */
  | { readonly kind: 'gone'; readonly reason: 'trimmed' | 'lost' | 'unknown'; readonly head: Token }

export interface DurableOptions {
  /** The cursor: one place for all processes that give this name. */
  readonly name: string
  readonly feed: ChangeFeed
  readonly cursors: Cursors
  /** Resolves once the part is safe; the place moves then. `hold`: nothing was taken, ask again after a rest. */
  readonly handle: (part: FeedPart) => Promise<'handled' | 'hold'>
  readonly onError: (error: unknown) => void
  readonly leaseMs?: number
  readonly restMs?: number
  readonly clock?: Clock
}

export interface DurableFollower {
  readonly isServing: boolean
  /** Waits for the page in hand, and lets the cursor go. */
  stop(): Promise<void>
}

/** A new cursor begins at the log's head. */
export function followDurably({
  name,
  feed,
  cursors,
  handle,
  onError,
  leaseMs = 10_000,
  restMs = 500,
  clock = systemClock,
}: DurableOptions): DurableFollower {
  const holder = randomUUID()
  const stopping = new AbortController()
  const { signal } = stopping
  let isServing = false

  const serve = async (from: Token): Promise<void> => {
    isServing = true
    let place = from
    while (!signal.aborted) {
      const page = await feed.after(place, { waitMs: leaseMs / 3, signal })
      const part = page.kind === 'gone' || page.entries.length > 0 ? page : undefined
      const isHeld = part !== undefined && !signal.aborted && (await handle(part)) === 'hold'
      const next = page.kind === 'gone' ? page.head : page.at
      if (part !== undefined && signal.aborted) return
      if (!(await cursors.move(name, holder, leaseMs, isHeld ? place : next))) return
      if (isHeld) await pause(clock, restMs, signal)
      else place = next
    }
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const place = await cursors.hold(name, holder, leaseMs, await feed.head())
        if (place === undefined) await pause(clock, leaseMs / 2, signal)
        else await serve(place)
      } catch (error) {
        onError(error)
        await pause(clock, restMs, signal)
      } finally {
        isServing = false
      }
    }
    await cursors.release(name, holder).catch(onError)
  }
  const running = run()

  return {
    get isServing() {
      return isServing
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

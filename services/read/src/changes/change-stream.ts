/**
 * One subscriber's stream: everything after its place, in order, at its own pace.
 *
 * It holds a place in the log and nothing else, so a subscriber that falls behind costs no memory; it is read from Postgres
 * what memory no longer holds. One that takes nothing for `slowMs` is cut off, and resumes by the id of its last event.
 */
import type { Change, ChangeFeed, FeedPage, Tide } from '@tidemark/log'
import type { Token } from '@tidemark/tide'
import { entryEvents, heartbeatEvent, isResetEvent, opening, resetEvent } from './events.js'
import type { Outlet } from './outlet.js'

export type Ending = 'closed' | 'slow'

export interface ChangeStreamOptions {
  readonly feed: ChangeFeed
  readonly tide: Tide
  readonly outlet: Outlet
  /** Where it begins, and what comes first. */
  readonly place: Token
  readonly first: FeedPage
  readonly passes: ((change: Change) => boolean) | undefined
  readonly heartbeatMs: number
  readonly signal: AbortSignal
  readonly onEvents: (kind: 'change' | 'reset' | 'heartbeat', count: number) => void
}

/** @throws LogError `log.unreachable` where it is behind and the log cannot be read */
export async function runChangeStream(options: ChangeStreamOptions): Promise<Ending> {
  const { feed, tide, outlet, passes, heartbeatMs, signal, onEvents } = options
  let place = options.place
  let page = options.first
  const nowMs = (): number => tide.now().monoMs
  let sentAtMs = nowMs()

  const heartbeat = (): string => {
    onEvents('heartbeat', 1)
    return heartbeatEvent(place, lagAt(tide, place))
  }
  /** What the page tells, and the place after it. */
  const eventsOf = (told: FeedPage): string[] => {
    if (told.kind === 'gone') {
      place = told.head
      onEvents('reset', 1)
      return [resetEvent(told.reason, told.head)]
    }
    place = told.at
    const events = told.entries.flatMap((entry) => entryEvents(entry, passes))
    const resets = events.filter(isResetEvent).length
    onEvents('reset', resets)
    onEvents('change', events.length - resets)
    return events
  }

  // The first heartbeat is where to resume: nothing is missed by who breaks off before the first change.
  let sent = await outlet.send([opening + heartbeat()])
  while (sent === 'sent' && !signal.aborted) {
    const events = eventsOf(page)
    if (events.length === 0 && nowMs() - sentAtMs >= heartbeatMs) events.push(heartbeat())
    if (events.length > 0) {
      sent = await outlet.send(events)
      sentAtMs = nowMs()
    }
    const waitMs = Math.max(0, sentAtMs + heartbeatMs - nowMs())
    if (sent === 'sent' && !signal.aborted) page = await feed.after(place, { waitMs, signal })
  }
  return sent === 'slow' ? 'slow' : 'closed'
}

/** The follower's own bound counts for who has been told all that it applied. */
function lagAt(tide: Tide, { term, position }: Token): number | null {
  const { follower } = tide
  const lagMs = follower.lagMs(tide.now())
  const isThere = follower.token?.term === term && follower.applied === position
  return isThere && Number.isFinite(lagMs) ? Math.ceil(lagMs) : null
}

import type { LiveFollower } from './tide.js'

/** How long a change was under way, in milliseconds. */
export interface ChangeLag {
  /** From its statement to its position: one clock, that of Postgres. In a long transaction most of it is before the commit. */
  readonly sequencedMs: number
  /** From its statement to this process: Postgres' clock against this machine's. For people only: proofs of lag compare none. */
  readonly appliedMs: number
}

/** Tells of each change that this follower applies. Gives the function that ends it. */
export function onChangeLag(
  tide: LiveFollower,
  tell: (lag: ChangeLag) => void,
  wallNow: () => number = Date.now,
): () => void {
  return tide.listen((event) => {
    if (event.kind !== 'applied') return
    const nowMs = wallNow()
    for (const { changedAt } of event.entry.changes)
      tell({
        sequencedMs: Math.max(0, event.entry.sequencedAt - changedAt),
        appliedMs: Math.max(0, nowMs - changedAt),
      })
  })
}

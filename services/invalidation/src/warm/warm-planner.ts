/**
 * Finds the hot keys that each change sinks and asks for them to be loaded again.
 *
 * Asking is one call at a time, and what sinks meanwhile waits in a set of hot keys, so it is bounded as they are. A call
 * that fails is not repeated: the keys are hot, and somebody will ask for them.
 */
import type { FollowEvent, HotKey, LiveFollower } from '@tidemark/log'
import { formatToken } from '@tidemark/tide'
import type { Jobs } from '../jobs/jobs.js'
import type { HotIndex } from './hot-index.js'
import { warmJob } from './warm-job.js'

/** Jobs added in one call. */
const batchMax = 200

export interface WarmPlanner {
  readonly counters: { readonly asked: number; readonly dropped: number }
  /** Waits for the call under way. */
  stop(): Promise<void>
}

export interface WarmPlannerOptions {
  readonly tide: LiveFollower
  readonly index: HotIndex
  readonly jobs: Pick<Jobs, 'add'>
  readonly onError: (error: unknown) => void
}

export function planWarming({ tide, index, jobs, onError }: WarmPlannerOptions): WarmPlanner {
  const counters = { asked: 0, dropped: 0 }
  const sunk = new Map<string, HotKey>()
  let asking: Promise<void> | undefined
  let isStopped = false

  const ask = async (): Promise<void> => {
    // A turn later: a follower that catches up takes many steps in one.
    await Promise.resolve()
    while (sunk.size > 0 && !isStopped) {
      const hottest = [...sunk.values()].sort((one, other) => other.heat - one.heat).slice(0, batchMax)
      for (const { key } of hottest) sunk.delete(key)
      const token = tide.follower.token
      if (token === undefined) continue
      try {
        await jobs.add(
          'warm',
          hottest.map((each) => warmJob(each, formatToken(token))),
        )
        counters.asked += hottest.length
      } catch (error) {
        counters.dropped += hottest.length
        onError(error)
      }
    }
    asking = undefined
  }

  const unlisten = tide.listen((event: FollowEvent) => {
    const sinking = event.kind === 'applied' ? index.sunkBy(event.entry.tags) : index.all
    for (const each of sinking) sunk.set(each.key, each)
    if (sunk.size > 0) asking ??= ask()
  })

  return {
    counters,
    async stop() {
      unlisten()
      isStopped = true
      await asking
    },
  }
}

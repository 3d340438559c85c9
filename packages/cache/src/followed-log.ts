import { bad } from './options.js'
import type { Schedule } from './schedule.js'
import { within } from './schedule.js'
import type { Tide } from './tide.js'

export interface FollowedLog {
  readonly tide: Tide
  /** Never rejects, never longer than a named bound. */
  readonly started: Promise<void>
  /** Ends it if it was made here. */
  end(): Promise<void>
}

/** How long first calls wait for the log before they do without: what they load then is not stored. */
const startWaitMs = 1_000

export function followedLog(tide: Tide | undefined, schedule: Schedule): FollowedLog {
  if (tide === undefined) throw bad('follow: no log is given')
  const starting = tide.start?.() ?? Promise.resolve()
  return {
    tide,
    started: within(starting, startWaitMs, schedule, () => new Error('late')).catch(() => undefined),
    end: () => Promise.resolve(),
  }
}

import type { Cluster, Redis } from 'ioredis'

import { memoryLog, redisLog } from '@tidemark/log'

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

interface FollowedLogOptions {
  readonly follow: Tide | undefined
  readonly redis: Redis | Cluster | undefined
  readonly prefix: string
  readonly maxLagMs: number
  readonly schedule: Schedule
}

/** How long first calls wait for the log before they do without: what they load then is not stored. */
const startWaitMs = 1_000

/** The log given, else one over `redis`, else one of this process alone; started. */
export function followedLog(options: FollowedLogOptions): FollowedLog {
  const own = options.follow === undefined ? ownLog(options) : undefined
  const tide = options.follow ?? own!
  const starting = tide.start?.() ?? Promise.resolve()
  return {
    tide,
    started: within(starting, startWaitMs, options.schedule, () => new Error('late')).catch(() => undefined),
    end: async () => own?.stop(),
  }
}

const ownLog = ({ redis, prefix, maxLagMs }: FollowedLogOptions) =>
  redis === undefined ? memoryLog() : redisLog({ redis, prefix, maxLagMs })

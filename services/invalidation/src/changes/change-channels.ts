/**
 * Tells light subscribers of changes over Redis' pub/sub, at most once by its nature.
 *
 * Every invalidation service publishes what its follower applies, and a script lets each position through once. The
 * alternative, one service at a time under a durable cursor, would cost a commit in Postgres for each page, keep the log
 * from being trimmed for messages that Redis may lose anyway, and be silent for the length of a lease when its holder dies.
 */
import type { FollowEvent, LiveFollower } from '@tidemark/log'
import type { Logger } from '@tidemark/service'
import type { Redis } from 'ioredis'
import { setTimeout as pause } from 'node:timers/promises'
import type { Announcement } from './channel-message.js'
import { announceEntry, announceReset } from './channel-message.js'
import { tellScript } from './tell-script.js'

export interface ChangeChannelsOptions {
  readonly redis: Redis
  readonly tide: LiveFollower
  readonly prefix: string
  readonly logger: Logger
  /** After a call that failed; default 500. */
  readonly restMs?: number
}

export interface ChangeChannels {
  /** Positions that this process told; others told the rest. `dropped`: while Redis was away. */
  readonly counts: Readonly<Record<'told' | 'repeated' | 'dropped' | 'failures', number>>
  /** Tells what is waiting, if Redis takes it at once. */
  stop(): Promise<void>
}

/** Positions that wait while Redis is away; the oldest are dropped, and subscribers are told of a gap. */
const waitingMax = 1_000
/** Of one call. */
const batchMax = 32

export const channelOf = (prefix: string, resource?: string): string =>
  resource === undefined ? `${prefix}:changes` : `${prefix}:changes:${resource}`

type TellingRedis = Redis & {
  tidemarkTell(key: string, ...args: (string | number)[]): Promise<number>
}

/** @example createChangeChannels({ redis, tide, prefix: 'tidemark', logger }) */
export function createChangeChannels(options: ChangeChannelsOptions): ChangeChannels {
  const { redis, tide, prefix, logger, restMs = 500 } = options
  redis.defineCommand('tidemarkTell', { numberOfKeys: 1, lua: tellScript })
  const telling = redis as TellingRedis
  const counts = { told: 0, repeated: 0, dropped: 0, failures: 0 }
  const stopping = new AbortController()
  let waiting: Announcement[] = []
  let isFailing = false
  let isRunning = false
  let running = Promise.resolve()

  const tellSome = async (): Promise<void> => {
    // One by one after a failure: one that is too much for Redis holds up no other for longer than it must.
    const batch = waiting.slice(0, isFailing ? 1 : batchMax)
    const told = await telling.tidemarkTell(
      `{${prefix}}:told`,
      channelOf(prefix),
      ...batch.flatMap(argumentsOf),
    )
    counts.told += told
    counts.repeated += batch.length - told
    const done = new Set(batch)
    waiting = waiting.filter((announcement) => !done.has(announcement))
    isFailing = false
  }

  /** What is announced while it ends would lie: it ends in the turn in which it finds nothing. */
  const run = async (): Promise<void> => {
    isRunning = true
    while (waiting.length > 0 && !(isFailing && stopping.signal.aborted)) {
      try {
        await tellSome()
      } catch (error) {
        counts.failures++
        if (!isFailing) logger.warn({ err: error }, 'changes are not published: Redis does not take them')
        isFailing = true
        await pause(restMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      }
    }
    isRunning = false
  }

  const announce = (announcement: Announcement): void => {
    waiting.push(announcement)
    if (waiting.length > waitingMax) counts.dropped += waiting.splice(0, waiting.length - waitingMax).length
    if (!isRunning) running = run()
  }

  const hear = (event: FollowEvent): void => {
    if (event.kind === 'applied') announce(announceEntry(event.entry))
    else announceHere(event.kind === 'adopted' ? 'epoch' : 'missed')
  }
  /** Where the follower is without the positions before: who told them, told them; else they are a gap. */
  const announceHere = (reason: 'epoch' | 'missed'): void => {
    const { token } = tide.follower
    if (token !== undefined) announce(announceReset(token, reason))
  }

  const unlisten = tide.listen(hear)
  announceHere('missed')

  return {
    counts,
    async stop() {
      unlisten()
      stopping.abort()
      await running
    },
  }
}

const argumentsOf = ({ place, text, reset, isForEveryone, channels }: Announcement): (string | number)[] => [
  ...[place.term, place.position, isForEveryone ? '1' : '0', text, reset],
  ...[channels.size, ...[...channels].flat()],
]

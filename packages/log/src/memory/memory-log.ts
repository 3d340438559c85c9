/**
 * The log of one process: it is told of each change as it is numbered, so its lag is always nothing.
 *
 * Its epoch is its own. The term is the second in which it began, so that a token from an earlier life of the process
 * counts as one of a lost history; the nonce tells it from every other process.
 */

import type { Token } from '@tidemark/tide'
import { always, Follower, TideTable } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { LogError } from '../errors.js'
import { ObservedFollower } from '../follow/observed-follower.js'
import type { InvalidationLog } from '../follow/tide.js'
import { invalidation } from '../own/invalidation.js'
import { randomMark } from '../random-mark.js'

export interface MemoryLogOptions {
  /** Of the tide table: a power of two; 64 bytes each. */
  readonly buckets?: number
  /** What a listener threw. */
  readonly onError?: (error: LogError) => void
  readonly clock?: Clock
}

/**
 * A log for a cache that no other process shares. It follows from the first moment: `start` need not be called.
 *
 * @example const log = memoryLog(); await log.invalidate(['product:42'])
 */
export function memoryLog({
  buckets = 16_384,
  onError = () => undefined,
  clock = systemClock,
}: MemoryLogOptions = {}): InvalidationLog {
  const follower = new Follower(new TideTable({ buckets, seed: randomMark() }))
  const observed = new ObservedFollower(follower, clock, onError)
  const epoch = { term: Math.floor(clock.now().wallMs / 1000), nonce: randomMark() }
  observed.jump(epoch, { position: 0, mark: randomMark() })
  observed.prove(epoch, follower.link, always, 'memory')
  let isStopped = false

  const token = (): Token => ({ term: epoch.term, position: follower.applied })

  return {
    follower,
    now: () => clock.now(),
    reach: (asked) => Promise.resolve(observed.met(asked) ?? 'beyond-log'),
    head: () => Promise.resolve(token()),
    start: () => Promise.resolve(),
    stop() {
      isStopped = true
      return Promise.resolve()
    },
    status: () => ({
      mode: 'memory',
      applied: follower.applied,
      epoch,
      lagMs: 0,
      isStreamLive: false,
      startedFrom: undefined,
      counters: { ...observed.counters, reconnects: 0, pulls: 0 },
    }),
    listen: (listener) => observed.listen(listener),
    pull: () => Promise.resolve(token()),
    async invalidate(tags, reason) {
      if (isStopped) throw new LogError('log.stopped', 'invalidate: stopped')
      const atMs = Math.floor(clock.now().wallMs)
      observed.apply({
        epoch,
        position: follower.applied + 1,
        mark: randomMark(),
        previousMark: follower.link.mark,
        tags,
        changes: [invalidation(tags, reason, atMs)],
        isAbridged: false,
        sequencedAt: atMs,
      })
      return token()
    },
  }
}

/**
 * Sends invalidations to be numbered. One change of the log is under way at a time; those called for meanwhile travel
 * together as the next. So a call is answered by a numbering that began after it, and however many call, a slow Redis has
 * one script to answer within its deadline, not thousands that all miss it and come again.
 *
 * What got no answer is sent again until its time is up: it may then be numbered twice, which sinks nothing more. Each
 * attempt carries what the follower follows at that moment, so no token is of an older term than its caller knew.
 */

import type { Token } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { pause } from '../clock.js'
import type { Change } from '../entry.js'
import { asLogError, LogError } from '../errors.js'
import { invalidation } from './invalidation.js'

export interface PublisherOptions {
  readonly publish: (tags: readonly string[], changes: readonly Change[]) => Promise<Token>
  readonly clock: Clock
  /** For an invalidation, all attempts together. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

interface Batch {
  readonly startedMs: number
  readonly tags: Set<string>
  readonly changes: Change[]
  tagsLength: number
  readonly settle: (token: Token | Promise<Token>) => void
  readonly sent: Promise<Token>
}

/** Calls that wait for their number at one time; more are refused. */
const maxWaiting = 10_000
const maxChanges = 200
/** In characters: a longer list would not be shipped as such, see stream-codec.ts. */
const maxTagsLength = 32 * 1024
const firstPauseMs = 25
const maxPauseMs = 400

export function createPublisher({
  publish,
  clock,
  timeoutMs,
  signal,
}: PublisherOptions): (tags: readonly string[], reason?: string) => Promise<Token> {
  const queue: Batch[] = []
  let isSending = false
  let waiting = 0

  const send = async ({ startedMs, tags, changes }: Batch): Promise<Token> => {
    const leftMs = (): number => startedMs + timeoutMs - clock.now().monoMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
      if (signal.aborted) throw new LogError('log.stopped', 'invalidate: stopped')
      if (leftMs() <= 0)
        throw new LogError('log.unreachable', `invalidate: not numbered within ${timeoutMs} ms`)
      try {
        return await publish([...tags], changes)
      } catch (error) {
        if (!signal.aborted && leftMs() <= pauseMs) throw unreachable(error)
      }
      await pause(clock, pauseMs, signal)
    }
  }

  const sendAll = async (): Promise<void> => {
    if (isSending) return
    isSending = true
    // Calls of this tick are still to join.
    await Promise.resolve()
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      const sending = send(batch)
      batch.settle(sending)
      await sending.catch(() => undefined)
    }
    isSending = false
  }

  const join = (length: number): Batch => {
    const last = queue.at(-1)
    if (last !== undefined && last.changes.length < maxChanges && last.tagsLength + length <= maxTagsLength)
      return last
    const batch = newBatch(clock.now().monoMs)
    queue.push(batch)
    return batch
  }

  return async (tags, reason) => {
    if (signal.aborted) throw new LogError('log.stopped', 'invalidate: stopped')
    if (waiting >= maxWaiting)
      throw new LogError('log.unreachable', `invalidate: ${maxWaiting} calls wait already`)
    const length = tags.reduce((sum, tag) => sum + tag.length, 0)
    const batch = join(length)
    batch.tagsLength += length
    for (const tag of tags) batch.tags.add(tag)
    batch.changes.push(invalidation(tags, reason, clock.now().wallMs))
    waiting++
    void sendAll()
    try {
      return await batch.sent
    } finally {
      waiting--
    }
  }
}

function newBatch(startedMs: number): Batch {
  let settle: Batch['settle'] = () => undefined
  const sent = new Promise<Token>((resolve) => {
    settle = resolve
  })
  return { startedMs, tags: new Set(), changes: [], tagsLength: 0, settle, sent }
}

/** Whatever it was that failed, the change may have no number, and its caller must know. */
const unreachable = (error: unknown): LogError => {
  const { message } = asLogError(error, 'log.unreachable', 'invalidate')
  return new LogError('log.unreachable', message, { cause: error })
}

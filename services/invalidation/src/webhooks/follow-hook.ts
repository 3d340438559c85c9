/**
 * One hook's way through the log: from its cursor, page by page, into its queue.
 *
 * The cursor moves only when the page's messages are in the queue, and those stay there until they are delivered or somebody
 * discards them. Where too many wait, or lie dead, the cursor stays: the log is the buffer. If the log is trimmed past the
 * cursor all the same, the hook is told so.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ChangeFeed, Cursors, DurableFollower, FeedPart } from '@tidemark/log'
import { followDurably } from '@tidemark/log'
import type { Jobs, NewJob } from '../jobs/jobs.js'
import type { Hook } from './hook.js'
import { cursorOf, queueOf } from './hook.js'
import type { Message } from './messages.js'
import { messagesOf } from './messages.js'

export interface FollowHookOptions {
  readonly hook: Hook
  readonly feed: ChangeFeed
  readonly cursors: Cursors
  readonly jobs: Jobs
  readonly onError: (error: unknown) => void
  readonly leaseMs?: number
}

/** After a page: what comes meanwhile is told in one message, and moves the cursor once. */
const restMs = 100

export function followHook({ hook, feed, cursors, jobs, ...options }: FollowHookOptions): DurableFollower {
  const queue = queueOf(hook.name)
  const tell = async (part: FeedPart): Promise<'handled' | 'hold'> => {
    const messages = messagesOf(part, hook)
    if (messages.length === 0) return 'handled'
    const { waiting, delayed, active, failed } = await jobs.depth(queue)
    if (waiting + delayed + active + failed >= hook.backlogMax) return 'hold'
    await jobs.add(
      queue,
      messages.flatMap((message) => jobsOf(hook, message)),
    )
    return 'handled'
  }
  const handle = async (part: FeedPart): Promise<'handled' | 'hold'> => {
    const outcome = await tell(part)
    if (outcome === 'handled') await pause(restMs)
    return outcome
  }
  return followDurably({ ...options, name: cursorOf(hook.name), feed, cursors, handle })
}

/**
 * A purge comes twice. A cache that asks again right after the first may be answered by a reader that does not know of the
 * change yet, which it may not for as long as its `maxLag`; or its request was under way already.
 */
function jobsOf(hook: Hook, message: Message): NewJob<Message>[] {
  const base = { attempts: hook.attempts, backoff: { type: 'hook' } }
  const once = { data: message, options: { ...base, jobId: message.id } }
  if (hook.style === 'json' || hook.againMs === 0) return [once]
  return [once, { data: message, options: { ...base, jobId: `${message.id}-again`, delay: hook.againMs } }]
}

/**
 * Following the changes of a Tidemark deployment, over every interruption.
 *
 * Each event says where to go on from once it is handled (`resume`). A new connection begins after the last event that the
 * consumer was given, so each change is given once or more, never none: what lies between is told again, and where it is
 * gone there is a `reset`. Nothing is read from the network while the consumer is busy, so nothing heaps up here.
 */
import { backoffMs, pause } from './backoff.js'
import type { FeedEvent } from './change-event.js'
import { parseEvent } from './change-event.js'
import { ClientError } from './client-error.js'
import { feedStream } from './feed-stream.js'

export interface FollowOptions {
  /** Of read services, or of what stands before them; several are tried in turn. */
  readonly url: string | readonly string[]
  /** Only changes of these: `product`. */
  readonly resources?: readonly string[]
  /** Only changes that touch one of these: `product.categoryId=7`. */
  readonly tags?: readonly string[]
  /** The `resume` of the last event handled; left out: from now on. */
  readonly from?: string
  /** Ends the iteration. */
  readonly signal?: AbortSignal
  /** Sent with each connection. */
  readonly headers?: Readonly<Record<string, string>>
  /** Until the service has begun to answer; default 10,000. */
  readonly connectTimeoutMs?: number
  /** A stream without a byte for so long is taken for dead; above the service's heartbeat; default 45,000. */
  readonly silenceMs?: number
  /** Longest pause between two attempts; default 30,000. */
  readonly backoffMaxMs?: number
  /** Told of each attempt that failed, and of the pause before the next. */
  readonly onInterrupted?: (error: ClientError, pauseMs: number) => void
  readonly fetch?: typeof fetch
  /** In [0, 1). */
  readonly random?: () => number
}

export interface Following extends AsyncIterableIterator<FeedEvent, undefined> {
  /** The `resume` of the last event given: where a new connection begins. */
  readonly token: string | undefined
  /** Ends it at once, also while `next` waits. */
  return(): Promise<IteratorReturnResult<undefined>>
}

/**
 * @throws ClientError from `next`: `client.refused` where the service does not take the request (a filter that is wrong),
 * `client.malformed` where it is no Tidemark service. Whatever may pass is tried again for ever.
 *
 * @example
 * for await (const event of follow({ url: 'http://read', resources: ['product'], from: await load() })) {
 *   if (event.kind === 'reset') index.clear()
 *   if (event.kind === 'change') await index.refresh(event.key, { Tidemark: event.token })
 *   await store(event.resume)
 * }
 */
export function follow(options: FollowOptions): Following {
  const ending = new AbortController()
  const { signal } = options
  const end = (): void => {
    ending.abort()
    signal?.removeEventListener('abort', end)
  }
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  const place: Place = { resume: options.from }
  const events = followFor(options, place, ending.signal, end)
  const following: Following = {
    get token() {
      return place.resume
    },
    next: () => events.next(),
    async return() {
      end()
      await events.return(undefined)
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => following,
  }
  return following
}

interface Place {
  resume: string | undefined
}

const defaultRetryMs = 1_000

async function* followFor(
  options: FollowOptions,
  place: Place,
  signal: AbortSignal,
  end: () => void,
): AsyncGenerator<FeedEvent, undefined, undefined> {
  const urls = addresses(options)
  const {
    connectTimeoutMs = 10_000,
    silenceMs = 45_000,
    backoffMaxMs = 30_000,
    random = Math.random,
  } = options
  const backoff = { addresses: urls.length, maxMs: backoffMaxMs, random }
  let retryMs = defaultRetryMs
  let failures = 0
  let next = 0
  try {
    while (!signal.aborted) {
      try {
        const messages = feedStream({
          ...{ url: urls[next]!, connectTimeoutMs, silenceMs, signal },
          headers: {
            ...options.headers,
            ...(place.resume !== undefined && { 'Last-Event-ID': place.resume }),
          },
          fetch: options.fetch ?? fetch,
          onRetry: (wishedMs) => {
            retryMs = wishedMs
          },
        })
        let isFirst = true
        for await (const message of messages) {
          // Every stream begins with one; a service that ends each right after it is no good one.
          if (!isFirst) failures = 0
          isFirst = false
          const event = parseEvent(message, place.resume ?? '')
          place.resume = message.id ?? place.resume
          if (event !== undefined) yield event
          if (signal.aborted) return undefined
        }
      } catch (error) {
        if (signal.aborted) return undefined
        if (!(error instanceof ClientError) || error.code !== 'client.unreachable') throw error
        failures++
        next = (next + 1) % urls.length
        const isRoundOver = failures % urls.length === 0
        const wishedMs = isRoundOver ? (error.retryAfterMs ?? 0) : 0
        const pauseMs = Math.max(wishedMs, backoffMs(failures, retryMs, backoff))
        options.onInterrupted?.(error, pauseMs)
        await pause(pauseMs, signal)
      }
    }
    return undefined
  } finally {
    end()
  }
}

function addresses({ url, resources = [], tags = [] }: FollowOptions): readonly URL[] {
  const bases = typeof url === 'string' ? [url] : url
  if (bases.length === 0) throw new TypeError('follow: url: at least one is needed')
  return bases.map((base) => {
    const address = new URL('v1/changes', base.endsWith('/') ? base : `${base}/`)
    if (resources.length > 0) address.searchParams.set('resource', resources.join(','))
    for (const tag of tags) address.searchParams.append('tag', tag)
    return address
  })
}

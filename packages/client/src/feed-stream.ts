/** One connection to the feed: messages as they come, with a deadline for the answer and for each silence. */
import { createParser } from 'eventsource-parser'
import type { EventSourceMessage } from 'eventsource-parser'
import { ClientError } from './client-error.js'

export interface FeedStreamOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch
  readonly connectTimeoutMs: number
  readonly silenceMs: number
  readonly signal: AbortSignal
  /** The service's wish for the pause before a new connection. */
  readonly onRetry: (retryMs: number) => void
}

/** Characters of one event; the largest change the services take is below it. */
const eventMax = 8_388_608

/** @throws ClientError `client.unreachable` (come again), `client.refused`, `client.malformed` */
export async function* feedStream(
  options: FeedStreamOptions,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const { url, headers, fetch, connectTimeoutMs, silenceMs, signal, onRetry } = options
  const connection = new AbortController()
  const cut = (): void => {
    connection.abort()
  }
  signal.addEventListener('abort', cut)
  if (signal.aborted) cut()
  try {
    const asked = fetch(url, {
      headers: { Accept: 'text/event-stream', ...headers },
      signal: connection.signal,
    })
    const answer = await within(asked, connectTimeoutMs, `${url.origin} gave no answer`, cut)
    const body = await within(bodyOf(answer), connectTimeoutMs, `${url.origin} broke off its answer`, cut)
    const reader = body.getReader()
    const decoder = new TextDecoder()
    const messages: EventSourceMessage[] = []
    let isTooLarge = false
    const parser = createParser({
      maxBufferSize: eventMax,
      onEvent: (message) => messages.push(message),
      onRetry,
      onError: ({ type }) => {
        isTooLarge ||= type === 'max-buffer-size-exceeded'
      },
    })
    for (;;) {
      // Not read while the consumer is busy with what there is: the service feels it, and waits.
      const chunk = await within(reader.read(), silenceMs, `${url.origin} fell silent`, cut)
      if (chunk.done) throw new ClientError('client.unreachable', `${url.origin} ended the stream`)
      parser.feed(decoder.decode(chunk.value, { stream: true }))
      if (isTooLarge)
        throw new ClientError('client.malformed', `an event is longer than ${eventMax} characters`)
      yield* messages.splice(0)
    }
  } finally {
    signal.removeEventListener('abort', cut)
    cut()
  }
}

/** @throws ClientError with `retryAfterMs` where the service said one */
async function bodyOf(answer: Response): Promise<ReadableStream<Uint8Array>> {
  const { status, body, headers } = answer
  if (!answer.ok) {
    const detail = await problemDetail(answer)
    const isPassing = status >= 500 || status === 408 || status === 425 || status === 429
    const retryAfterMs = secondsOf(headers.get('Retry-After'))
    throw new ClientError(isPassing ? 'client.unreachable' : 'client.refused', `${status}: ${detail}`, {
      status,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
  const type = headers.get('Content-Type') ?? 'nothing'
  if (body !== null && type.startsWith('text/event-stream')) return body
  await body?.cancel()
  throw new ClientError('client.malformed', `the answer is ${type}, not text/event-stream`, { status })
}

const shownCharacters = 300

async function problemDetail(answer: Response): Promise<string> {
  const text = await beginningOf(answer.body)
  try {
    const { title, detail, errors } = JSON.parse(text) as Record<string, unknown>
    const fields = Array.isArray(errors)
      ? (errors as { field?: unknown; message?: unknown }[]).map(
          ({ field, message }) => `${field} ${message}`,
        )
      : []
    return [title, detail, ...fields]
      .filter((part) => typeof part === 'string')
      .join('; ')
      .slice(0, shownCharacters)
  } catch {
    return text.slice(0, shownCharacters)
  }
}

const problemMaxBytes = 65_536

async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let length = 0; length < problemMaxBytes;) {
    const { done, value } = await reader.read()
    if (done) return text
    length += value.length
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return text
}

const retryAfterMaxSeconds = 300

function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null || !/^\d{1,9}$/.test(retryAfter)) return undefined
  return Math.min(Number(retryAfter), retryAfterMaxSeconds) * 1_000
}

/** @throws ClientError `client.unreachable` when the work fails, or is not done in time: `cut` ends it then */
async function within<T>(work: Promise<T>, limitMs: number, late: string, cut: () => void): Promise<T> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    cut()
  }, limitMs)
  try {
    return await work
  } catch (cause) {
    if (cause instanceof ClientError && !isLate) throw cause
    const why = isLate ? `${late} for ${limitMs} ms` : `the connection broke: ${reasonOf(cause)}`
    throw new ClientError('client.unreachable', why, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** `fetch` tells why in the cause of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}

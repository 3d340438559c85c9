import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

/** What a problem document holds (RFC 9457), as far as tests look at it. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly errors?: readonly { in?: string; field: string; message: string; allowed?: string }[]
  readonly requestId?: string
}

export interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Names as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly text: string
  /** @throws SyntaxError where the body is no JSON */
  json<T>(): T
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, with its content type unless `headers` says another. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string | Buffer
  /** Until the last byte; default 15,000. */
  readonly timeoutMs?: number
}

/**
 * One request on a connection of its own. Unlike `fetch` it sends the path byte for byte: `..`, `%00` and doubled
 * parameters arrive as they were written.
 */
export function exchange(
  base: string,
  method: string,
  path: string,
  { headers = {}, json, body, timeoutMs = 15_000 }: Sending = {},
): Promise<Received> {
  const { hostname, port } = new URL(base)
  const payload = body ?? (json === undefined ? undefined : JSON.stringify(json))
  const typed = json === undefined ? headers : { 'Content-Type': 'application/json', ...headers }
  const length = payload === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(payload)) }
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const fail = (error: Error): void => {
      reject(
        new Error(`${method} ${path}: ${signal.aborted ? `no answer in ${timeoutMs} ms` : error.message}`),
      )
    }
    const sent = request(
      { hostname, port, method, path, headers: { ...typed, ...length }, agent: false, signal },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', fail)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            rawHeaders: answer.rawHeaders,
            text,
            json: <T>() => JSON.parse(text) as T,
          })
        })
      },
    )
    sent.on('error', fail)
    sent.end(payload)
  })
}

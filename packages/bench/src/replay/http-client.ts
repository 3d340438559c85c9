import { Pool } from 'undici'

const deadlineMs = 10_000

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface HttpClient {
  readonly origin: string
  get(path: string, headers?: Record<string, string>): Promise<Reply>
  patch(path: string, body: unknown): Promise<Reply>
  close(): Promise<void>
}

/** One service, over a bounded pool of kept-alive connections, each request with a deadline. */
export function httpClient(origin: string, connections: number): HttpClient {
  const pool = new Pool(origin, { connections, headersTimeout: deadlineMs, bodyTimeout: deadlineMs })
  const send = async (options: Parameters<Pool['request']>[0]): Promise<Reply> => {
    const { statusCode, headers, body } = await pool.request(options)
    return { status: statusCode, headers, body: await body.text() }
  }
  return {
    origin,
    get: (path, headers = {}) => send({ method: 'GET', path, headers }),
    patch: (path, body) =>
      send({
        method: 'PATCH',
        path,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify(body),
      }),
    close: () => pool.close(),
  }
}

export const header = (reply: Reply, name: string): string | undefined => {
  const value = reply.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

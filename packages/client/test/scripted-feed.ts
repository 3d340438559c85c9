import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Answer = (res: ServerResponse, req: IncomingMessage) => void

export interface ScriptedFeed {
  readonly url: string
  /** One for each connection, as it was asked for. */
  readonly requests: readonly { readonly path: string; readonly place: string | undefined }[]
}

/** Answers each connection by the next part of the script; the last one repeats. */
export async function scriptedFeed(...script: readonly Answer[]): Promise<ScriptedFeed> {
  const requests: { path: string; place: string | undefined }[] = []
  const server = createServer((req, res) => {
    const place = req.headers['last-event-id']
    requests.push({ path: req.url!, place: typeof place === 'string' ? place : undefined })
    script[Math.min(requests.length, script.length) - 1]!(res, req)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

export const heartbeat = (token: string): string =>
  `event: heartbeat\nid: ${token}\ndata: {"token":"${token}","lagMs":1}\n\n`

export function change(key: string, token: string, isLast = true): string {
  const data = {
    resource: 'product',
    key,
    operation: 'update',
    tags: [],
    version: 1,
    changedAt: 1,
    token,
    more: 1,
  }
  return `event: change\n${isLast ? `id: ${token}\n` : ''}data: ${JSON.stringify(data)}\n\n`
}

/** Sends these events and stays. */
export const tell =
  (...events: readonly string[]): Answer =>
  (res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
    res.write(events.join(''))
  }

/** Sends these events and ends. */
export const tellAndEnd =
  (...events: readonly string[]): Answer =>
  (res, req) => {
    tell(...events)(res, req)
    res.end()
  }

export const refuse =
  (status: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (res) => {
    res.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers })
    const errors = [{ in: 'query', field: 'resource', message: 'holds names that are not known' }]
    res.end(JSON.stringify({ type: '/problems/x', title: 'Not so', status, errors }))
  }

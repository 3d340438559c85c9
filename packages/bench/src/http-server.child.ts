/** A server to measure the read service against; it is told what to answer and tells its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestListener } from 'node:http'
import express from 'express'
import { cpuMs } from './work/cpu.js'

export type ServerKind = 'same-headers' | 'minimal' | 'express-send' | 'express-json'

export interface ServerOrder {
  readonly kind: ServerKind
  readonly body: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

function listener({ kind, body, headers }: ServerOrder): RequestListener {
  const bytes = Buffer.from(body)
  const type = 'application/json; charset=utf-8'
  const few = ['Content-Type', type, 'Content-Length', String(bytes.length)]
  switch (kind) {
    case 'same-headers':
      return (_, res) => res.writeHead(200, [...headers]).end(bytes)
    case 'minimal':
      return (_, res) => res.writeHead(200, few).end(bytes)
    case 'express-send': {
      const app = express()
      app.get('/v1/products/:id', (_, res) => void res.type('json').send(bytes))
      return app
    }
    case 'express-json': {
      const app = express()
      const value: unknown = JSON.parse(body)
      app.get('/v1/products/:id', (_, res) => void res.json(value))
      return app
    }
  }
}

process.on('message', (message: ServerOrder | 'cpu') => {
  if (message === 'cpu') {
    process.send!(cpuMs())
    return
  }
  const server = createServer(listener(message))
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
})
process.on('disconnect', () => process.exit())
// The parent may have gone while this file was being loaded, before anyone listened.
if (!process.connected) process.exit()
process.on('SIGINT', () => undefined)

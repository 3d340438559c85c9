import {
  createServer as createNodeServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Metrics } from '../metrics/metrics.js'
import { Problem } from '../problems/problem.js'
import { sendProblem } from '../problems/send-problem.js'
import { reasonOf, ServiceError } from '../service-error.js'
import { answerClientError } from './client-error.js'
import { drainServer } from './drain.js'
import { serverLimits, type ServerLimits } from './server-limits.js'

/**
 * Answers ahead of the app, synchronously, with bytes that are ready: true when it has ended the response, false to
 * leave the request (untouched) to the app. It sees neither request log nor hygiene; it counts in its own integers.
 */
export type FirstHandler = (req: IncomingMessage, res: ServerResponse) => boolean

export interface ServerOptions extends Partial<ServerLimits> {
  /** An Express app, or any listener. */
  readonly app: (req: IncomingMessage, res: ServerResponse) => void
  readonly first?: FirstHandler
  readonly logger: Logger
  readonly metrics?: Metrics
}

export interface HttpServer {
  readonly server: Server
  /** Requests the app has begun and not ended. What `first` answers is never in flight. */
  readonly inFlight: number
  readonly url: string
  /** @throws ServiceError `address_unavailable`, saying which port and what to do. */
  listen(address: { port: number; host: string }): Promise<AddressInfo>
  /** Stops accepting, finishes what is in flight, closes the rest; cuts everything when the signal is aborted. */
  drain(signal?: AbortSignal): Promise<void>
}

const RETRY_AFTER_SECONDS = '1'

/** A `node:http` server with every limit set, a fast path before the app, and a clean way to stop. */
export function createServer(options: ServerOptions): HttpServer {
  const { app, first, logger, metrics } = options
  const limits = serverLimits(options)
  const inFlight = new Set<ServerResponse>()
  const sockets = new Set<Socket>()
  let isDraining = false
  let isRefusing = false

  const refuse = (req: IncomingMessage, res: ServerResponse) => {
    if (!isRefusing) logger.warn({ in_flight: inFlight.size }, 'too many requests in flight: answering 503')
    isRefusing = true
    metrics?.observeRequest({ method: req.method ?? '', route: undefined, status: 503 }, 0)
    sendProblem(req, res, new Problem('overloaded', { headers: { 'Retry-After': RETRY_AFTER_SECONDS } }))
  }

  const answersFirst = (req: IncomingMessage, res: ServerResponse): boolean => {
    if (first === undefined) return false
    try {
      return first(req, res)
    } catch (error) {
      logger.error({ err: error }, `the fast path failed: ${reasonOf(error)}`)
      metrics?.observeRequest({ method: req.method ?? '', route: undefined, status: 500 }, 0)
      sendProblem(req, res, new Problem('internal', { cause: error }))
      return true
    }
  }

  const server = createNodeServer(
    { maxHeaderSize: limits.maxHeaderBytes, connectionsCheckingInterval: limits.checkIntervalMs },
    (req, res) => {
      if (isDraining) res.shouldKeepAlive = false
      if (answersFirst(req, res)) return
      if (inFlight.size >= limits.maxInFlight) {
        refuse(req, res)
        return
      }
      inFlight.add(res)
      res.once('close', () => {
        inFlight.delete(res)
        if (inFlight.size <= limits.maxInFlight / 2) isRefusing = false
        if (isDraining)
          setImmediate(() => {
            server.closeIdleConnections()
          })
      })
      app(req, res)
    },
  )
  server.headersTimeout = limits.headersTimeoutMs
  server.requestTimeout = limits.requestTimeoutMs
  server.keepAliveTimeout = limits.keepAliveTimeoutMs
  server.timeout = limits.silenceTimeoutMs
  server.maxConnections = limits.maxConnections
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('clientError', (error, socket) => {
    const isBusy = [...inFlight].some((res) => res.socket === socket)
    answerClientError(error, socket as Socket, isBusy)
  })
  metrics?.gauge({
    name: 'http_server_active_requests',
    help: 'Requests that the app has begun and not ended.',
    read: () => inFlight.size,
  })

  return {
    server,
    get inFlight() {
      return inFlight.size
    },
    get url() {
      const { address, port, family } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`
    },
    listen: (address) => listen(server, address),
    drain: (signal) => {
      isDraining = true
      return drainServer({ server, inFlight, sockets, ...(signal === undefined ? {} : { signal }) })
    },
  }
}

function listen(server: Server, { port, host }: { port: number; host: string }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      reject(new ServiceError('address_unavailable', unavailable(error, port, host), { cause: error }))
    }
    server.once('error', onError)
    server.listen(port, host, () => {
      server.off('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

function unavailable(error: NodeJS.ErrnoException, port: number, host: string): string {
  const where = `port ${String(port)} on ${host}`
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program: stop it or set PORT to a free one`
    case 'EACCES':
      return `${where} may not be used by this user: set PORT to one above 1023`
    default:
      return `cannot listen to ${where} (${error.code ?? error.message}): check HOST and PORT`
  }
}

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A connection whose last answer ended just before draining is found on the next round. */
const SWEEP_MS = 50

/**
 * Draining an HTTP server. `close` alone is not enough, for three reasons:
 * a keep-alive connection outlives the answer that was in flight, so those answers say `Connection: close` and idle
 * connections are swept; a connection that has never sent a byte is not idle to Node and would hold the server open;
 * and Node stops enforcing request timeouts once closed, so a request that dribbles in needs a bound from outside.
 */
export interface DrainOptions {
  readonly server: Server
  readonly inFlight: ReadonlySet<ServerResponse>
  readonly sockets: ReadonlySet<Socket>
  /** When aborted, every connection is cut. */
  readonly signal?: AbortSignal
}

export async function drainServer({ server, inFlight, sockets, signal }: DrainOptions): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  for (const res of inFlight) if (!res.headersSent) res.shouldKeepAlive = false
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  const sweep = setInterval(() => {
    server.closeIdleConnections()
  }, SWEEP_MS)
  const cut = () => {
    server.closeAllConnections()
  }
  if (signal?.aborted) cut()
  signal?.addEventListener('abort', cut, { once: true })
  try {
    await closed
  } finally {
    clearInterval(sweep)
    signal?.removeEventListener('abort', cut)
  }
}

import { createServer, connect } from 'node:net'
import type { Server, Socket } from 'node:net'

/*
 * States: passing, hung, cut. `cut` resets every connection and refuses new ones; `hang` takes new connections and
 * passes nothing on, in either direction, on old and new alike; `heal` passes again, and what was held back by a hang
 * then arrives late, as it does on a real network. `holdAnswers` passes what clients send; a connection on which one has
 * sent something since then gives nothing back until `heal`. Two sockets make a pair; a pair lives and dies together.
 */
type State = 'passing' | 'holding' | 'hung' | 'cut'

interface Pair {
  readonly client: Socket
  upstream: Socket | undefined
}

export interface FaultProxy {
  /** The target's URL with the proxy's host and port. */
  readonly url: string
  /** Resets every connection and refuses new ones. */
  cut(): Promise<void>
  /** Accepts, and passes nothing. */
  hang(): void
  /** Passes what is asked from now on, but not its answers; what was asked before (a subscription) is answered still. */
  holdAnswers(): void
  /** Passes again. */
  heal(): Promise<void>
  close(): Promise<void>
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  'postgres:': '5432',
  'postgresql:': '5432',
  'redis:': '6379',
  'http:': '80',
}

/** A TCP proxy on loopback in front of `targetUrl` that fails as networks do; on `ownPort`, or any free one. */
export async function faultProxy(targetUrl: string, ownPort = 0): Promise<FaultProxy> {
  const target = new URL(targetUrl)
  const host = target.hostname
  const targetPort = Number(target.port || DEFAULT_PORTS[target.protocol])
  const pairs = new Set<Pair>()
  let state: State = 'passing'

  const drop = (pair: Pair, how: 'reset' | 'close'): void => {
    pairs.delete(pair)
    for (const socket of [pair.client, pair.upstream]) {
      if (!socket || socket.destroyed) continue
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  const join = (pair: Pair): void => {
    const upstream = connect({ host, port: targetPort, noDelay: true })
    pair.upstream = upstream
    upstream.on('error', () => {
      drop(pair, 'reset')
    })
    upstream.on('close', () => {
      drop(pair, 'close')
    })
    // Before the bytes go on: their answer must find the pair held.
    pair.client.on('data', () => {
      if (state === 'holding') hold(upstream)
    })
    pair.client.pipe(upstream)
    upstream.pipe(pair.client)
  }

  const hold = (upstream: Socket): void => {
    upstream.unpipe()
    upstream.pause()
  }

  const accept = (client: Socket): void => {
    const pair: Pair = { client, upstream: undefined }
    pairs.add(pair)
    client.setNoDelay(true)
    client.on('error', () => {
      drop(pair, 'reset')
    })
    client.on('close', () => {
      drop(pair, 'close')
    })
    if (state === 'cut') drop(pair, 'reset')
    else if (state !== 'hung') join(pair)
  }

  const server: Server = createServer(accept)
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: '127.0.0.1', port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  const stopListening = (): Promise<void> =>
    new Promise((resolve) => {
      if (server.listening)
        server.close(() => {
          resolve()
        })
      else resolve()
      for (const pair of pairs) drop(pair, 'reset')
    })

  await listen(ownPort)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const { port } = address
  target.hostname = '127.0.0.1'
  target.port = String(port)

  return {
    url: target.href,
    async cut() {
      state = 'cut'
      await stopListening()
    },
    holdAnswers() {
      if (state !== 'passing') throw new Error(`the proxy is ${state}: heal it first`)
      state = 'holding'
    },
    hang() {
      if (state === 'cut') throw new Error('the proxy is cut: heal it before it hangs')
      state = 'hung'
      for (const { client, upstream } of pairs) {
        client.unpipe()
        client.pause()
        if (upstream) hold(upstream)
      }
    },
    async heal() {
      if (!server.listening) await listen(port)
      state = 'passing'
      for (const pair of pairs) {
        if (!pair.upstream) join(pair)
        else {
          if (pair.client.isPaused()) pair.client.pipe(pair.upstream)
          if (pair.upstream.isPaused()) pair.upstream.pipe(pair.client)
        }
      }
    },
    async close() {
      state = 'cut'
      await stopListening()
    },
  }
}

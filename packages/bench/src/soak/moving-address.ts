import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

/** An address that is moved to another server at a fail-over, as a provider moves a name or a virtual IP. */
export interface MovingAddress {
  readonly url: string
  /** Where new connections go; those that there are break. */
  moveTo(url: string): void
  close(): Promise<void>
}

export async function movingAddress(first: string): Promise<MovingAddress> {
  let target = new URL(first)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port), noDelay: true })
    client.setNoDelay(true)
    const drop = (): void => {
      for (const socket of [client, upstream]) {
        open.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', drop)
      socket.on('close', drop)
    }
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const breakAll = (): void => {
    for (const socket of [...open]) socket.resetAndDestroy()
  }
  const { port } = server.address() as { port: number }
  return {
    url: `redis://127.0.0.1:${port}`,
    moveTo(url) {
      target = new URL(url)
      breakAll()
    },
    close() {
      breakAll()
      return new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
      })
    },
  }
}

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/*
 * Ports are drawn below the range that systems hand to outgoing connections (32768 and up on Linux, 49152 and up
 * elsewhere). A server that is killed and started again on its port must find it free, and a client that dials a
 * dead port inside that range can end up connected to itself.
 */
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 32_000
const MAX_DRAWS = 100

/** True if a listener can be opened on `host:port` now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}

/** A port free on loopback: `preferred` if it is free, else one drawn at random. */
export async function freePort(
  preferred?: number,
  draw: () => number = () => randomInt(LOWEST_PORT, HIGHEST_PORT),
): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const port = draw()
    if (await isPortFree(port)) return port
  }
  throw new Error(`no free port on 127.0.0.1 in ${String(MAX_DRAWS)} draws`)
}

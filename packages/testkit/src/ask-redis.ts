import { Redis } from 'ioredis'

const BOUND_MS = 2_000

/** One command to the server at `url`, on a connection of its own. @throws what the server says, or that it is silent */
export async function askRedis(url: string, command: string, ...args: (string | number)[]): Promise<unknown> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: BOUND_MS,
    commandTimeout: BOUND_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}

/** What ROLE calls the server first: `master` or `slave`. */
export async function roleOf(url: string): Promise<string> {
  const [role] = (await askRedis(url, 'ROLE')) as [string]
  return role
}

/** A field of INFO or of CLUSTER INFO. */
export const fieldOf = (text: unknown, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(String(text))?.[1]

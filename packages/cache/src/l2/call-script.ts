import type { ChainableCommander, Redis } from 'ioredis'

import type { Script } from './scripts.js'

/** Calls of one script, which takes any number of them at once: `keys` and `args` of each, side by side. */
export interface Calls {
  readonly script: Script
  readonly calls: number
  readonly keys: readonly string[]
  readonly args: readonly (string | number | Buffer)[]
}

/** What the script gives for one call; a Buffer is the text of what went wrong. */
export type Reply = number | Buffer | Error | readonly unknown[]

const isUnknown = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT')

/** Of ioredis, which has them and does not say so in its types. */
interface Named {
  evalshaBuffer(...words: readonly (string | number | Buffer)[]): Promise<unknown>
  evalBuffer(...words: readonly (string | number | Buffer)[]): Promise<unknown>
}
const named = (client: Redis): Named => client as unknown as Named

/** All in one command, called by its own name: `call` loses a word where a client pipelines by itself. A server that does not know the script is sent it. @throws what the server says */
export async function callAtOnce(client: Redis, { script, keys, args }: Calls): Promise<readonly Reply[]> {
  try {
    return (await named(client).evalshaBuffer(script.sha, keys.length, ...keys, ...args)) as Reply[]
  } catch (error) {
    if (!isUnknown(error)) throw error
    return (await named(client).evalBuffer(script.source, keys.length, ...keys, ...args)) as Reply[]
  }
}

/** One command for each, since a command's keys must lie in one slot. What the server says to one is its reply. */
export async function callEach(
  client: Redis,
  { script, calls, keys, args }: Calls,
): Promise<readonly Reply[]> {
  const [keysEach, argsEach] = [keys.length / calls, args.length / calls]
  const send = async (which: readonly number[], asSource: boolean): Promise<Reply[]> => {
    const pipeline = client.pipeline()
    for (const i of which) {
      const words = [
        keysEach,
        ...keys.slice(i * keysEach, (i + 1) * keysEach),
        ...args.slice(i * argsEach, (i + 1) * argsEach),
      ] as const
      if (asSource) pipeline.callBuffer('eval', script.source, ...words)
      else pipeline.callBuffer('evalsha', script.sha, ...words)
    }
    return repliesOf(pipeline)
  }
  const replies = await send([...Array(calls).keys()], false)
  const again = [...replies.keys()].filter((i) => isUnknown(replies[i]))
  if (again.length > 0) {
    const fresh = await send(again, true)
    for (const [k, i] of again.entries()) replies[i] = fresh[k]!
  }
  return replies
}

async function repliesOf(pipeline: ChainableCommander): Promise<Reply[]> {
  const all = (await pipeline.exec()) as (readonly [Error | null, readonly Reply[] | null])[]
  return all.map(([error, replies]) => error ?? replies![0]!)
}

import { peerNamed } from '../peers/registry.js'
import type { Calls, Measured, WorkInput } from './work.js'
import { keysOf, valueOf } from './work.js'

const count = 20_000
const sampled = 97

/** What an entry costs in memory, its key and its 1 KB value included. */
export async function l1Heap(input: WorkInput): Promise<Calls> {
  const load = (key: string) => Promise.resolve(valueOf(key))
  const peer = await peerNamed(input.peer).open({ ...input, entries: 4 * count, load })
  for (const key of keysOf(100, 10 * count)) await peer.get(key)

  return {
    async fill(): Promise<Measured> {
      const before = await settledBytes()
      for (let i = 0; i < count; i++) await peer.get(`product:${i}`)
      const bytes = (await settledBytes()) - before
      for (let i = 0; i < count; i += sampled)
        if ((await peer.get(`product:${i}`))?.id !== `product:${i}`)
          return { figures: [0], invalid: 'not held' }
      return { figures: [bytes / count] }
    },
  }
}

async function settledBytes(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc')
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

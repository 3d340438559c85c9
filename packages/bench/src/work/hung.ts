import type { Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import type { Calls, WorkInput } from './work.js'
import { valueOf } from './work.js'

/** How long a cold key takes while Redis takes connections and answers nothing; every setting as it comes. */
export async function hung(input: WorkInput): Promise<Calls> {
  const load = (key: string): Promise<Value> => Promise.resolve(valueOf(key))
  const peer = await peerNamed(input.peer).open({ ...input, load })

  return {
    read: async ({ key }: { key: string }) => (await peer.get(key))?.id === key,
    /** Milliseconds; null: not within `withinMs`. */
    async cold({ key, withinMs }: { key: string; withinMs: number }): Promise<number | null> {
      const startMs = performance.now()
      const timeout = new Promise<null>((resolve) => setTimeout(resolve, withinMs, null))
      const answer = Promise.resolve(peer.get(key)).then((value) => {
        if (value?.id !== key) throw new Error('the value is wrong')
        return performance.now() - startMs
      })
      return await Promise.race([answer, timeout])
    },
  }
}

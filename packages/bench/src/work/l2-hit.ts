import type { Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import { callAtOnce } from './callers.js'
import { cpuMs } from './cpu.js'
import type { Calls, Measured, WorkInput } from './work.js'
import { keysOf, valueOf } from './work.js'

const count = 10_000
const settleMs = 500
const mostLoads = 0.01

/** Hits in Redis with L1 off: `callers` at once over keys that follow each other, so no two calls share one read. */
export async function l2Hit(input: WorkInput): Promise<Calls> {
  let loads = 0
  const load = (key: string): Promise<Value> => {
    loads++
    return Promise.resolve(valueOf(key))
  }
  const peer = await peerNamed(input.peer).open({ ...input, load })
  const keys = keysOf(count)
  await callAtOnce(
    64,
    (issued) => issued < count,
    async (i) => void (await peer.get(keys[i]!)),
  )
  await new Promise((resolve) => setTimeout(resolve, settleMs))

  return {
    async round({ callers, ms }: { callers: number; ms: number }): Promise<Measured> {
      const loadsBefore = loads
      let wrong = 0
      const cpuBeforeMs = cpuMs()
      const endMs = performance.now() + ms
      const { ops, seconds, p50Ms, p99Ms } = await callAtOnce(
        callers,
        () => performance.now() < endMs,
        async (i) => {
          const key = keys[i % count]!
          const value = await peer.get(key)
          if (value?.id !== key || value.body.length < 900) wrong++
        },
      )
      const misses = loads - loadsBefore
      // A deadline that is missed while the machine is busy elsewhere makes a load, which is no way to look quick.
      const isMostlyHits = misses <= ops * mostLoads
      const invalid = isMostlyHits ? (wrong > 0 ? `${wrong} wrong values` : undefined) : `${misses} loads`
      return { figures: [ops / seconds, p50Ms, p99Ms, (cpuMs() - cpuBeforeMs) / ops], invalid }
    },
  }
}

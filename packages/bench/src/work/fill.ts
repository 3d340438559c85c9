import { connect } from '../peers/connect.js'
import type { Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import { callAtOnce } from './callers.js'
import { cpuMs } from './cpu.js'
import type { Calls, Measured, WorkInput } from './work.js'
import { valueOf } from './work.js'

const storedWithinMs = 5_000

/** Misses on keys that nobody has seen; the clock stops when the last value is answered *and* stands in Redis. */
export async function fill(input: WorkInput): Promise<Calls> {
  let loads = 0
  const load = (key: string): Promise<Value> => {
    loads++
    return Promise.resolve(valueOf(key))
  }
  const peer = await peerNamed(input.peer).open({ ...input, load })
  const judge = connect(input.redisUrl)
  let next = 0

  return {
    async round({ callers, count }: { callers: number; count: number }): Promise<Measured> {
      await judge.flushdb()
      const [from, loadsBefore] = [next, loads]
      next += count
      let wrong = 0
      const cpuBeforeMs = cpuMs()
      const startMs = performance.now()
      const { p50Ms, p99Ms } = await callAtOnce(
        callers,
        (issued) => issued < count,
        async (i) => {
          const key = `product:${from + i}`
          if ((await peer.get(key))?.id !== key) wrong++
        },
      )
      let stored = await judge.dbsize()
      while (stored < count && performance.now() - startMs < storedWithinMs) stored = await judge.dbsize()
      const seconds = (performance.now() - startMs) / 1_000
      const made = loads - loadsBefore
      const invalid =
        wrong > 0
          ? `${wrong} wrong values`
          : made !== count
            ? `${made} loads for ${count} keys`
            : stored < count
              ? `${stored} of ${count} stored`
              : undefined
      return { figures: [count / seconds, p50Ms, p99Ms, (cpuMs() - cpuBeforeMs) / count], invalid }
    },
  }
}

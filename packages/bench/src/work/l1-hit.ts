import type { OpenPeer, Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import { randomFrom } from '../replay/random.js'
import { cpuMs } from './cpu.js'
import type { Calls, Measured, WorkInput } from './work.js'
import { keysOf, valueOf } from './work.js'

const count = 10_000
const draws = 1 << 20
const blockMs = 10
const exponent = 0.99

/** Hits in memory, one after the other, each awaited. Between blocks the loop turns, so that sockets are served. */
export async function l1Hit(input: WorkInput): Promise<Calls> {
  let loads = 0
  const load = (key: string): Promise<Value> => {
    loads++
    return Promise.resolve(valueOf(key))
  }
  const peer = await peerNamed(input.peer).open({ ...input, entries: 2 * count, load })
  const keys = keysOf(count)
  for (const key of keys) await peer.get(key)
  const hot = keys[count >> 1]!
  const drawn = zipf(keys)
  const ids = drawn.map((key) => Number(key.slice('product:'.length)))

  async function measure(
    ms: number,
    run: (peer: OpenPeer, from: number, ops: number) => Promise<unknown>,
  ): Promise<Measured> {
    const loadsBefore = loads
    let ops = 0
    let block = 1_000
    const cpuBeforeMs = cpuMs()
    const startMs = performance.now()
    for (;;) {
      const blockStartMs = performance.now()
      await run(peer, ops, block)
      ops += block
      const endMs = performance.now()
      if (endMs - startMs >= ms) {
        const opsPerSecond = ops / ((endMs - startMs) / 1_000)
        const misses = loads - loadsBefore
        const cpuPerOpMs = (cpuMs() - cpuBeforeMs) / ops
        return {
          figures: [opsPerSecond, cpuPerOpMs],
          invalid: misses > 0 ? `${misses} of ${ops} were loads` : undefined,
        }
      }
      if (endMs - blockStartMs < blockMs) block *= 2
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  return {
    hot({ ms }: { ms: number }): Promise<Measured> {
      return measure(ms, async (from, _, ops) => {
        let last: Value | null | undefined
        for (let i = 0; i < ops; i++) last = await from.get(hot)
        if (last?.id !== hot) throw new Error('the value is wrong')
      })
    },
    /** As callers do who have an id: the key is a new string each time. */
    built({ ms }: { ms: number }): Promise<Measured> {
      return measure(ms, async (peerUnderTest, from, ops) => {
        let last: Value | null | undefined
        for (let i = 0; i < ops; i++) last = await peerUnderTest.get(`product:${ids[(from + i) % draws]!}`)
        if (last?.id !== drawn[(from + ops - 1) % draws]) throw new Error('the value is wrong')
      })
    },
    zipf({ ms }: { ms: number }): Promise<Measured> {
      return measure(ms, async (peerUnderTest, from, ops) => {
        let last: Value | null | undefined
        for (let i = 0; i < ops; i++) last = await peerUnderTest.get(drawn[(from + i) % draws]!)
        if (last?.id !== drawn[(from + ops - 1) % draws]) throw new Error('the value is wrong')
      })
    },
  }
}

/** Keys drawn beforehand, key k with a weight of 1 / (k + 1)^0.99, seeded. */
function zipf(keys: readonly string[]): readonly string[] {
  const random = randomFrom(1)
  const cumulative: number[] = []
  let total = 0
  for (let i = 0; i < keys.length; i++) cumulative.push((total += 1 / (i + 1) ** exponent))
  return Array.from({ length: draws }, () => {
    const wanted = random() * total
    let [low, high] = [0, keys.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return keys[low]!
  })
}

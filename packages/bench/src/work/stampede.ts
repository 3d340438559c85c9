import { setTimeout as sleep } from 'node:timers/promises'
import type { Value } from '../peers/peer.js'
import { peerNamed } from '../peers/registry.js'
import { nowNs } from './monotonic.js'
import type { Calls, WorkInput } from './work.js'
import { valueOf } from './work.js'

const loadMs = 50

export interface Burst {
  readonly loads: number
  readonly wrong: number
  /** On the clock that all processes share. */
  readonly doneNs: number
}

/** Many callers at once on one cold key, at a moment that the other process has been told as well. */
export async function stampede(input: WorkInput): Promise<Calls> {
  let loads = 0
  const load = async (key: string): Promise<Value> => {
    loads++
    await sleep(loadMs)
    return valueOf(key)
  }
  const peer = await peerNamed(input.peer).open({ ...input, load })
  await peer.get('product:warm')

  return {
    async burst({ key, callers, atNs }: { key: string; callers: number; atNs: number }): Promise<Burst> {
      const loadsBefore = loads
      await sleep(Math.max(0, (atNs - nowNs()) / 1e6 - 2))
      while (nowNs() < atNs);
      const values = await Promise.all(Array.from({ length: callers }, () => peer.get(key)))
      return {
        loads: loads - loadsBefore,
        wrong: values.filter((value) => value?.id !== key).length,
        doneNs: nowNs(),
      }
    },
  }
}

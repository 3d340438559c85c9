import type { Tiers, Value } from '../peers/peer.js'

/** What a contestant's process is told at its start. */
export interface WorkInput {
  readonly work: WorkName
  readonly peer: string
  readonly tiers: Tiers
  readonly bus: boolean
  readonly entries: number
  readonly redisUrl: string
  readonly log: { readonly redisUrl: string; readonly postgresUrl: string }
}

export type WorkName = 'l1-hit' | 'l1-heap' | 'l2-hit' | 'fill' | 'stampede' | 'fresh' | 'row-change' | 'hung'

/** What the parent may call, by name. */
export type Calls = Readonly<Record<string, (input: never) => unknown>>

/** A figure, and why it does not count, if so. */
export interface Measured {
  readonly figures: readonly number[]
  readonly invalid?: string | undefined
}

const valueBytes = 1_024

/** A value of its own that is 1 KB as JSON. The body is one flat string that no other value shares. */
export function valueOf(key: string, version = 1): Value {
  const bare = JSON.stringify({ id: key, version, body: '' }).length
  const body = Buffer.alloc(valueBytes - bare, `${key} `).toString('latin1')
  return { id: key, version, body }
}

export const keysOf = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `product:${from + i}`)

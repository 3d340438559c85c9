import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../replay/percentile.js'
import type { Row } from '../measure/table.js'
import type { Peer } from '../peers/peer.js'
import { peerNamed, peers } from '../peers/registry.js'
import type { ContestantOptions } from '../stage/contestant.js'
import { contestant } from '../stage/contestant.js'
import type { Stage } from '../stage/stage.js'
import type { Scenario } from './scenario.js'

/** Above every stock that the catalogue holds; each race begins above the one before it. */
const firstVersion = 1_000_000
const keys = 50
const watchLeadMs = 3
const warmUp = 20

interface Race {
  readonly who: string
  readonly peer: Peer
  readonly work: ContestantOptions['work']
  readonly change?: object
}

export const fresh: Scenario = {
  name: 'fresh',
  async run(stage) {
    const us = peerNamed('tidemark')
    const races: Race[] = [
      { who: 'tidemark, row changed, writer flushes', peer: us, work: 'row-change', change: { flush: true } },
      { who: 'tidemark, row changed by raw SQL', peer: us, work: 'row-change', change: { flush: false } },
      { who: 'tidemark, external invalidation', peer: us, work: 'fresh' },
      ...peers
        .filter((peer) => peer.hasBus && peer.kind !== 'us')
        .map((peer): Race => ({
          who: peer.kind === 'floor' ? `${peer.name}: DEL + PUBLISH` : `${peer.name}, its bus`,
          peer,
          work: 'fresh',
        })),
    ]
    const rows: Row[] = []
    for (const [i, race] of races.entries()) rows.push(await run(stage, race, firstVersion * (i + 1)))
    return [
      {
        title: 'Change committed in A until B serves the new value',
        columns: [
          { title: 'p50', unit: 'ms' },
          { title: 'p99', unit: 'ms' },
        ],
        rows,
        isMoreBetter: false,
      },
    ]
  },
}

async function run(stage: Stage, { who, peer, work, change }: Race, base: number): Promise<Row> {
  const options = { work, tiers: 'l1+l2', bus: true } as const
  const [a, b] = [await contestant(stage, peer, options), await contestant(stage, peer, options)]
  const timesMs: number[] = []
  let invalid: string | undefined
  try {
    for (let i = 0; i < stage.rounds(1) * (stage.isQuick ? 60 : 400) + warmUp; i++) {
      const key = `product:${(i % keys) + 1}`
      const version = base + i
      // Held by B as it was, or there would be nothing to invalidate.
      const before = await b.call<number>('read', { key })
      if (before >= version) invalid = 'B held the new value beforehand'
      const watching = b.call<number | undefined>('watch', { key, version })
      await sleep(watchLeadMs)
      const changedNs = await a.call<number>('change', { key, version, ...change })
      const seenNs = await watching
      if (seenNs === undefined) invalid = 'stale for 3 s'
      else if (i >= warmUp) timesMs.push((seenNs - changedNs) / 1e6)
      if (invalid !== undefined) break
    }
  } catch (error) {
    invalid = (error as Error).message
  }
  await Promise.all([a.end(), b.end()])
  await stage.emptyValues()
  const figure = (share: number) => ({ median: percentile(timesMs, share), spread: 0 })
  return { who, isUs: peer.kind === 'us', figures: [figure(0.5), figure(0.99)], invalid }
}

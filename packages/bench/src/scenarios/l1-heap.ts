import { figureOf } from '../measure/figure.js'
import type { Row } from '../measure/table.js'
import { peersWith } from '../peers/registry.js'
import { contestant } from '../stage/contestant.js'
import type { Measured } from '../work/work.js'
import type { Scenario } from './scenario.js'

/** A new process for each round: a heap that was filled once is not the same again. */
export const l1Heap: Scenario = {
  name: 'l1-heap',
  async run(stage) {
    const rows: Row[] = []
    for (const peer of peersWith('l1')) {
      const bytes: number[] = []
      let invalid: string | undefined
      for (let round = 0; round < stage.rounds(3); round++) {
        try {
          const each = await contestant(stage, peer, { work: 'l1-heap', tiers: 'l1', flags: ['--expose-gc'] })
          const measured = await each.call<Measured>('fill').finally(() => each.end())
          bytes.push(measured.figures[0]!)
          invalid ??= measured.invalid
        } catch (error) {
          invalid ??= (error as Error).message
        }
      }
      rows.push({ who: peer.name, isUs: peer.kind === 'us', figures: [figureOf(bytes)], invalid })
    }
    const columns = [{ title: 'memory per entry', unit: 'B' }] as const
    return [{ title: 'L1 memory per entry, value of 1 KB, key included', columns, rows, isMoreBetter: false }]
  },
}

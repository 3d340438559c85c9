import { peersWith } from '../peers/registry.js'
import { compete } from '../stage/compete.js'
import type { Scenario } from './scenario.js'

const callers = 64

export const fill: Scenario = {
  name: 'fill',
  async run(stage) {
    const count = stage.isQuick ? 5_000 : 30_000
    const [rows] = await compete(stage, {
      work: 'fill',
      tiers: 'l1+l2',
      peers: peersWith('l1+l2'),
      rounds: stage.rounds(5),
      plays: [(each) => each.call('round', { callers, count })],
    })
    return [
      {
        title: `Miss and fill, L1 and L2, ${callers} callers, until the last value stands in Redis`,
        columns: [
          { title: 'fills', unit: '/s' },
          { title: 'p50', unit: 'ms' },
          { title: 'p99', unit: 'ms' },
          { title: 'CPU per fill', unit: 'ms', isCpu: true },
        ],
        rows: rows!,
        isMoreBetter: true,
      },
    ]
  },
}

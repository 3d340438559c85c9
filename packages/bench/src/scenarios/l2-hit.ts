import { peersWith } from '../peers/registry.js'
import { compete } from '../stage/compete.js'
import type { Scenario } from './scenario.js'

const callers = 64

export const l2Hit: Scenario = {
  name: 'l2-hit',
  async run(stage) {
    const ms = stage.seconds(1.5) * 1_000
    const [rows] = await compete(stage, {
      work: 'l2-hit',
      tiers: 'l2',
      peers: peersWith('l2'),
      rounds: stage.rounds(5),
      plays: [(each) => each.call('round', { callers, ms })],
    })
    return [
      {
        title: `L2 hit, L1 off, ${callers} callers over distinct keys`,
        columns: [
          { title: 'hits', unit: '/s' },
          { title: 'p50', unit: 'ms' },
          { title: 'p99', unit: 'ms' },
          { title: 'CPU per hit', unit: 'ms', isCpu: true },
        ],
        rows: rows!,
        isMoreBetter: true,
      },
    ]
  },
}

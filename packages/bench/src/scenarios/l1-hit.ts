import { peersWith } from '../peers/registry.js'
import { compete } from '../stage/compete.js'
import type { Scenario } from './scenario.js'

export const l1Hit: Scenario = {
  name: 'l1-hit',
  async run(stage) {
    const ms = stage.seconds(1) * 1_000
    const [hot, zipf, built] = await compete(stage, {
      work: 'l1-hit',
      tiers: 'l1',
      peers: peersWith('l1'),
      rounds: stage.rounds(7),
      plays: (['hot', 'zipf', 'built'] as const).map((name) => (each) => each.call(name, { ms })),
    })
    const columns = [
      { title: 'hits', unit: '/s' },
      { title: 'CPU per hit', unit: 'ms', isCpu: true },
    ] as const
    return [
      { title: 'L1 hit, awaited, one hot key', columns, rows: hot!, isMoreBetter: true },
      { title: 'L1 hit, awaited, zipf over 10,000 keys', columns, rows: zipf!, isMoreBetter: true },
      {
        title: 'L1 hit, awaited, the same, each key built from an id',
        columns,
        rows: built!,
        isMoreBetter: true,
      },
    ]
  },
}

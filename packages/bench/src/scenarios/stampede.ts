import { figureOf } from '../measure/figure.js'
import type { Row } from '../measure/table.js'
import type { Peer } from '../peers/peer.js'
import { peersWith } from '../peers/registry.js'
import { contestant } from '../stage/contestant.js'
import type { Contestant } from '../stage/contestant.js'
import type { Stage } from '../stage/stage.js'
import { nowNs } from '../work/monotonic.js'
import type { Burst } from '../work/stampede.js'
import type { Scenario } from './scenario.js'

const processes = 2
const callers = 500
const headStartNs = 50e6

export const stampede: Scenario = {
  name: 'stampede',
  async run(stage) {
    const rows: Row[] = []
    for (const peer of peersWith('l1+l2').filter(({ kind }) => kind !== 'floor'))
      rows.push(await rowOf(stage, peer))
    return [
      {
        title: `Stampede: ${processes} processes × ${callers} callers on one cold key, load of 50 ms`,
        columns: [
          { title: 'origin calls', unit: 'calls' },
          { title: 'until all are served', unit: 'ms' },
        ],
        rows,
        isMoreBetter: false,
      },
    ]
  },
}

async function rowOf(stage: Stage, peer: Peer): Promise<Row> {
  const both: Contestant[] = []
  const [calls, times]: [number[], number[]] = [[], []]
  let invalid: string | undefined
  try {
    for (let i = 0; i < processes; i++)
      both.push(await contestant(stage, peer, { work: 'stampede', tiers: 'l1+l2' }))
    for (let round = 0; round <= stage.rounds(9); round++) {
      const atNs = nowNs() + headStartNs
      const burst = { key: `product:stampede-${round}`, callers, atNs }
      const done = await Promise.all(both.map((each) => each.call<Burst>('burst', burst)))
      const wrong = done.reduce((sum, each) => sum + each.wrong, 0)
      if (wrong > 0) invalid = `${wrong} wrong values`
      if (round === 0) continue
      calls.push(done.reduce((sum, each) => sum + each.loads, 0))
      times.push((Math.max(...done.map((each) => each.doneNs)) - atNs) / 1e6)
    }
  } catch (error) {
    invalid = (error as Error).message
  }
  await Promise.all(both.map((each) => each.end()))
  await stage.emptyValues()
  return { who: peer.name, isUs: peer.kind === 'us', figures: [figureOf(calls), figureOf(times)], invalid }
}

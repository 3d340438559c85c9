import { alternate } from '../measure/alternate.js'
import { figureOf } from '../measure/figure.js'
import type { Row } from '../measure/table.js'
import type { Peer } from '../peers/peer.js'
import type { Measured } from '../work/work.js'
import type { Contestant, ContestantOptions } from './contestant.js'
import { contestant } from './contestant.js'
import type { Stage } from './stage.js'

export interface Competition extends ContestantOptions {
  readonly peers: readonly Peer[]
  readonly rounds: number
  /** For each kind of round (a table of its own) what to call. */
  readonly plays: readonly ((contestant: Contestant) => Promise<Measured>)[]
}

/**
 * Rows for each kind of round, one row for each peer, all peers alive at once and playing in turn; the first round only
 * warms up. A peer that cannot begin, or that fails once, has an invalid row and no say in the others'.
 */
export async function compete(stage: Stage, competition: Competition): Promise<readonly (readonly Row[])[]> {
  const { peers, rounds, plays } = competition
  const failures = new Map<Peer, string>()
  const opened: Contestant[] = []
  for (const peer of peers) {
    try {
      opened.push(await contestant(stage, peer, competition))
    } catch (error) {
      failures.set(peer, (error as Error).message)
    }
  }
  const endAll = async (): Promise<void> => {
    await Promise.all(opened.map((each) => each.end()))
  }
  stage.stack.push(endAll)
  try {
    const tables: Row[][] = []
    for (const play of plays) {
      const results = await alternate(opened, rounds + 1, (each) =>
        failures.has(each.peer)
          ? Promise.resolve<Measured>({ figures: [] })
          : play(each).catch((error: unknown): Measured => {
              failures.set(each.peer, (error as Error).message)
              return { figures: [] }
            }),
      )
      const byPeer = new Map([...results].map(([each, measured]) => [each.peer, measured.slice(1)]))
      tables.push(peers.map((peer) => rowOf(peer, byPeer.get(peer) ?? [], failures.get(peer))))
    }
    return tables
  } finally {
    await endAll()
    await stage.emptyValues()
  }
}

function rowOf(peer: Peer, rounds: readonly Measured[], failure: string | undefined): Row {
  const invalid = failure ?? rounds.find((round) => round.invalid !== undefined)?.invalid
  const columns = rounds[0]?.figures.length ?? 0
  const figures = Array.from({ length: columns }, (_, column) =>
    figureOf(rounds.map((round) => round.figures[column]!)),
  )
  return { who: peer.name, isUs: peer.kind === 'us', figures, invalid }
}

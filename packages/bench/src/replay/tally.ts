/** What was answered, and what of it was wrong. */
import type { History, Level, Observation, Wrong } from './history.js'

export interface Tally {
  requests: number
  readonly byLevel: Record<Level, { answers: number; wrong: number; latenciesMs: number[] }>
  readonly byLayer: Map<string, number>
  readonly refused: Map<number, number>
  readonly behindMs: number[]
  readonly wrong: Wrong[]
  failed: number
}

export const emptyTally = (): Tally => ({
  requests: 0,
  byLevel: {
    bounded: { answers: 0, wrong: 0, latenciesMs: [] },
    session: { answers: 0, wrong: 0, latenciesMs: [] },
    strict: { answers: 0, wrong: 0, latenciesMs: [] },
  },
  byLayer: new Map(),
  refused: new Map(),
  behindMs: [],
  wrong: [],
  failed: 0,
})

export function note(tally: Tally, observation: Observation, history: History): void {
  const level = tally.byLevel[observation.level]
  level.answers++
  level.latenciesMs.push(observation.receivedAt - observation.sentAt)
  const layer = layerOf(observation.cacheStatus)
  tally.byLayer.set(layer, (tally.byLayer.get(layer) ?? 0) + 1)
  // Labelled as stale: the origin did not answer in time, and the resource allows it. It promises nothing.
  if (layer === 'stale' && observation.level === 'bounded') return
  const behind = history.behindMs(observation)
  if (behind > 0) tally.behindMs.push(behind)
  const wrong = history.judge(observation)
  if (wrong === undefined) return
  level.wrong++
  tally.wrong.push(wrong)
}

/** `tidemark; hit; ttl=593; detail=l1` → `l1`. */
function layerOf(cacheStatus: string): string {
  return /detail="?([\w-]+)/.exec(cacheStatus)?.[1] ?? 'untold'
}

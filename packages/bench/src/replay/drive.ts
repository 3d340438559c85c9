/** Replays a trace: many clients draw its requests in order, and some of them write before they read. */
import { randomFrom } from './random.js'
import type { History, Level } from './history.js'
import type { HttpClient } from './http-client.js'
import type { LagProbe } from './lag-probe.js'
import { createSession } from './readers.js'
import { emptyTally, note } from './tally.js'
import type { Tally } from './tally.js'
import type { Trace } from './trace.js'
import type { Writers } from './writers.js'

export interface DriveOptions {
  readonly trace: Trace
  readonly readers: readonly HttpClient[]
  readonly writers: Writers
  readonly history: History
  readonly probe: LagProbe
  readonly clients: number
  /** Share of the requests that are preceded by a write of the same product, 0 to 1. */
  readonly writeShare: number
  /** Shares of the reads by level; what is left is bounded. */
  readonly sessionShare: number
  readonly strictShare: number
  readonly seed: number
  readonly now: () => number
  readonly onProgress: (tally: Tally) => void
}

const progressEveryMs = 1_000

export async function drive(options: DriveOptions): Promise<Tally> {
  const { trace, readers, writers, history, probe, now } = options
  const tally = emptyTally()
  let next = 0
  let writesBegun = 0

  async function client(number: number): Promise<void> {
    const random = randomFrom(options.seed + number)
    const session = createSession(now, tally.refused)
    while (next < trace.length) {
      const turn = next++
      const productId = trace[turn]!
      const reader = readers[Math.floor(random() * readers.length)]!
      try {
        if (random() < options.writeShare) {
          const write = await writers.write(productId)
          session.learn(write?.token)
          if (write !== undefined) probe.follow(write, readers[writesBegun++ % readers.length]!)
        }
        const observation = await session.read(reader, productId, levelFor(random(), options))
        if (observation !== undefined) note(tally, observation, history)
      } catch {
        tally.failed++
      }
      tally.requests++
    }
  }

  const progress = setInterval(() => options.onProgress(tally), progressEveryMs)
  await Promise.all(Array.from({ length: options.clients }, (_, i) => client(i)))
  clearInterval(progress)
  await probe.settled()
  return tally
}

function levelFor(draw: number, { sessionShare, strictShare }: DriveOptions): Level {
  if (draw < strictShare) return 'strict'
  return draw < strictShare + sessionShare ? 'session' : 'bounded'
}

import type { RaceAdapter } from './adapter.js'
import type { Faults, Fork } from './faults.js'
import { late, within, words } from './patience.js'
import type { Race, RaceScript } from './race.js'
import { scripts } from './races/index.js'
import { Scene } from './scene.js'
import type { Verdict } from './verdict.js'
import { broken, notOffered } from './verdict.js'

export interface RaceSuiteOptions {
  readonly faults: Faults
  readonly fork?: Fork
}

const defaultDeadlineMs = 15_000

/**
 * The races that a cache in front of a changing origin can lose, for any library: see docs/races.md. No test runner is
 * needed; `describeRaces` hands them to one.
 *
 * @example
 *   for (const race of raceSuite(adapter, { faults: { route: () => myTcpProxy('redis://localhost') } }))
 *     console.log(race.title, await race.run())
 */
export function raceSuite(adapter: RaceAdapter, options: RaceSuiteOptions): readonly Race[] {
  return scripts.map((script) => ({
    id: script.id,
    title: script.title,
    law: script.law,
    run: () => run(script, adapter, options),
  }))
}

async function run(script: RaceScript, adapter: RaceAdapter, options: RaceSuiteOptions): Promise<Verdict> {
  const lacking = script.needs.filter((need) => !adapter.offers.includes(need))
  if (lacking.length > 0) return notOffered(`no ${lacking.join(', ')}`)
  const { deadlineMs = defaultDeadlineMs } = script
  const scene = new Scene(adapter, options.faults, options.fork)
  try {
    const verdict = await within(deadlineMs, script.play(scene))
    return verdict === late ? broken(`no end within ${deadlineMs / 1_000} s`) : verdict
  } catch (error) {
    return broken(words(error))
  } finally {
    await scene.close()
  }
}

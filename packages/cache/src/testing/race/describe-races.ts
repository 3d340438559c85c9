import type { Race } from './race.js'

/** What the suite needs of a test runner: vitest has it, and so has node:test. */
export interface RaceRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, options: { timeout: number }, body: (test: RaceTest) => Promise<void>): unknown
}

interface RaceTest {
  skip(reason?: string): unknown
}

const timeout = 60_000

/**
 * One test for each race: it fails where the law is broken, and is skipped where the library does not offer what the race
 * is about.
 *
 * @example import { describe, it } from 'vitest'; describeRaces({ describe, it }, 'my cache', raceSuite(adapter, { faults }))
 */
export function describeRaces(runner: RaceRunner, name: string, races: readonly Race[]): void {
  runner.describe(`races: ${name}`, () => {
    for (const race of races)
      runner.it(race.title, { timeout }, async (test) => {
        const verdict = await race.run()
        if ('skipped' in verdict) test.skip(verdict.skipped)
        else if (!verdict.passed) throw new Error(`${race.law} Seen: ${verdict.saw}`)
      })
  })
}

import * as nodeTest from 'node:test'

import { expect, test, vi } from 'vitest'

import { describeRaces } from '../../src/testing/index.js'
import type { Race, RaceRunner, Verdict } from '../../src/testing/index.js'

const race = (id: string, verdict: Verdict): Race => ({
  id,
  title: id,
  law: 'It holds.',
  run: () => Promise.resolve(verdict),
})

/** Takes what it is given, as a test runner does, and runs it afterwards. */
function collect(races: readonly Race[]) {
  const tests = new Map<string, (test: { skip(reason?: string): unknown }) => Promise<void>>()
  const runner: RaceRunner = {
    describe: (_, body) => {
      body()
    },
    it: (name, _, body) => tests.set(name, body),
  }
  describeRaces(runner, 'mine', races)
  return tests
}

test('a kept race passes, a broken one fails with its law, one that is not offered is skipped', async () => {
  const tests = collect([
    race('kept', { passed: true, saw: 'v2' }),
    race('broken', { passed: false, saw: 'v1' }),
    race('not offered', { skipped: 'no tags' }),
  ])
  const skip = vi.fn()
  await tests.get('kept')!({ skip })
  await expect(tests.get('broken')!({ skip })).rejects.toThrow('It holds. Seen: v1')
  expect(skip).not.toHaveBeenCalled()
  await tests.get('not offered')!({ skip })
  expect(skip).toHaveBeenCalledExactlyOnceWith('no tags')
})

test('node:test is a runner too', () => {
  const runner: RaceRunner = nodeTest
  expect(runner.describe).toBe(nodeTest.describe)
})

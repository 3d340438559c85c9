import { expect, test } from 'vitest'

import { joinRuns } from '../src/join-runs.js'

interface Gate {
  readonly began: number
  end(): void
}

/** Runs that end when told to. */
function gatedRuns(): { run: () => Promise<number>; gates: Gate[] } {
  const gates: Gate[] = []
  const run = (): Promise<number> =>
    new Promise((resolve) => {
      const began = gates.length
      gates.push({
        began,
        end: () => {
          resolve(began)
        },
      })
    })
  return { run, gates }
}

test('a call never joins a run that is under way', async () => {
  const { run, gates } = gatedRuns()
  const call = joinRuns(run)
  const first = call()
  const second = call()
  gates[0]!.end()
  expect(await first).toBe(0)
  await Promise.resolve()
  gates[1]!.end()
  expect(await second).toBe(1)
})

test('calls made during a run share the one that waits: one under way, one waiting, however many call', async () => {
  const { run, gates } = gatedRuns()
  const call = joinRuns(run)
  const first = call()
  const others = Array.from({ length: 50 }, call)
  expect(gates).toHaveLength(1)
  gates[0]!.end()
  await first
  await Promise.resolve()
  gates[1]!.end()
  expect(new Set(await Promise.all(others))).toEqual(new Set([1]))
  expect(gates).toHaveLength(2)
})

test('a run that fails fails its own callers only', async () => {
  let runs = 0
  const call = joinRuns(() => (++runs === 1 ? Promise.reject(new Error('down')) : Promise.resolve(runs)))
  const first = call()
  const second = call()
  await expect(first).rejects.toThrow('down')
  expect(await second).toBe(2)
  expect(await call()).toBe(3)
})

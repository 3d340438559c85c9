import { expect, test } from 'vitest'

import { hitsPerReading, TickClock } from '../src/tick-clock.js'

const countingClock = () => {
  let readings = 0
  const clock = new TickClock(() => ({ monoMs: ++readings, wallMs: 0 }))
  return { clock, readings: () => readings }
}

const macrotask = () => new Promise((resolve) => setTimeout(resolve, 0))

test('one reading serves so many hits of one macrotask and no more', async () => {
  const { clock, readings } = countingClock()
  for (let i = 0; i < hitsPerReading; i++) clock.read()
  expect(readings()).toBe(1)
  clock.read()
  expect(readings()).toBe(2)
  await macrotask()
})

test('an awaited loop keeps to the same bound', async () => {
  const { clock, readings } = countingClock()
  for (let i = 0; i < hitsPerReading * 4; i++) await Promise.resolve(clock.read())
  expect(readings()).toBeLessThanOrEqual(5)
})

test('a reading never outlives its macrotask, timers of one phase included', async () => {
  const { clock } = countingClock()
  const seen: number[] = []
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 3; i++)
      setTimeout(() => {
        seen.push(clock.read().monoMs)
        if (i === 2) resolve()
      }, 1)
  })
  expect(seen).toEqual([1, 2, 3])
})

test('a fresh reading is one', () => {
  const { clock } = countingClock()
  const first = clock.read().monoMs
  expect(clock.fresh().monoMs).toBe(first + 1)
})

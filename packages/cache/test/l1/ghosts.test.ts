import { expect, test } from 'vitest'

import { Ghosts } from '../../src/l1/ghosts.js'

const memory = 10_000
const name = (i: number): string => `product:${i}`

test('the last evicted are remembered, once; those before them, and those never evicted, are not', () => {
  const ghosts = new Ghosts()
  for (let i = 0; i < 3 * memory; i++) ghosts.add(name(i), memory)
  const known = (from: number, to: number): number => {
    let count = 0
    for (let i = from; i < to; i++) if (ghosts.take(name(i), memory)) count++
    return count / (to - from)
  }
  expect(known(0, 2 * memory)).toBe(0)
  expect(known(4 * memory, 5 * memory)).toBe(0)
  // A set of four that gets five forgets one: a few are lost where there are about as many as there is room for.
  expect(known(2 * memory, 3 * memory)).toBeGreaterThan(0.85)
  expect(known(2 * memory, 3 * memory)).toBe(0)
})

test('a tier that has evicted nothing, or was cleared, remembers nothing', () => {
  const ghosts = new Ghosts()
  expect(ghosts.take('a', 10)).toBe(false)
  ghosts.add('a', 10)
  ghosts.clear()
  expect(ghosts.take('a', 10)).toBe(false)
})

test('a tier that grows gets room for as many names as it has entries', () => {
  const ghosts = new Ghosts()
  ghosts.add('early', 10)
  for (let i = 0; i < memory; i++) ghosts.add(name(i), memory)
  let known = 0
  for (let i = 0; i < memory; i++) if (ghosts.take(name(i), memory)) known++
  expect(known / memory).toBeGreaterThan(0.85)
})

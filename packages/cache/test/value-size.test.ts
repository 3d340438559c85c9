import { expect, test } from 'vitest'

import { estimateBytes } from '../src/value-size.js'

test('a value that does not let itself be looked at has a size all the same', () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const lazy = Object.defineProperty({}, 'row', {
    enumerable: true,
    get: () => {
      throw new Error('not loaded')
    },
  })
  for (const value of [lazy, [1, lazy], proxy]) expect(estimateBytes(value)).toBeGreaterThan(0)
})

test('the size of a value grows with what it holds and ends for a value that holds itself', () => {
  const loop: unknown[] = ['x'.repeat(1_000)]
  loop.push(loop)
  expect(estimateBytes('x'.repeat(1_000))).toBeGreaterThanOrEqual(1_000)
  expect(estimateBytes({ a: Buffer.alloc(5_000) })).toBeGreaterThanOrEqual(5_000)
  expect(estimateBytes(loop)).toBeGreaterThan(1_000)
})

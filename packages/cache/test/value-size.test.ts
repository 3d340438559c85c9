import { expect, test } from 'vitest'

import { estimateBytes } from '../src/value-size.js'

test('the size of a value grows with what it holds and ends for a value that holds itself', () => {
  const loop: unknown[] = ['x'.repeat(1_000)]
  loop.push(loop)
  expect(estimateBytes('x'.repeat(1_000))).toBeGreaterThanOrEqual(1_000)
  expect(estimateBytes({ a: Buffer.alloc(5_000) })).toBeGreaterThanOrEqual(5_000)
  expect(estimateBytes(loop)).toBeGreaterThan(1_000)
})

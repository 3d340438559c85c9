import { expect, test } from 'vitest'

import { eventually } from '../src/index.js'

test('a check that first throws and then holds gives its value', async () => {
  let calls = 0
  const value = await eventually(() => {
    calls++
    if (calls < 3) throw new Error('not yet')
    return calls
  })
  expect(value).toBe(3)
})

test('false and null are not yet, and the last reason is told when the time is up', async () => {
  const answers = [false, null]
  await expect(eventually(() => answers.shift() ?? null, { timeoutMs: 50 })).rejects.toThrow(
    'not so within 50 ms: the check gave null',
  )
})

test('a check that hangs is given up when the time is up', async () => {
  await expect(eventually(() => new Promise(() => undefined), { timeoutMs: 50 })).rejects.toThrow(
    'did not answer',
  )
})

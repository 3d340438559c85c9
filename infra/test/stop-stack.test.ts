import { expect, test } from 'vitest'

import { createStopStack } from '../src/launch/stop-stack.js'

test('what was started last ends first, and each only once however often it is asked', async () => {
  const ended: string[] = []
  const stack = createStopStack(() => undefined)
  for (const name of ['store', 'service']) {
    stack.push(() => {
      ended.push(name)
      return Promise.resolve()
    })
  }
  await Promise.all([stack.unwind(), stack.unwind()])
  expect(ended).toEqual(['service', 'store'])
})

test('a part that fails to end is told about and does not keep the others from ending', async () => {
  const errors: unknown[] = []
  let storeEnded = false
  const stack = createStopStack((error) => errors.push(error))
  stack.push(() => {
    storeEnded = true
    return Promise.resolve()
  })
  stack.push(() => Promise.reject(new Error('stuck')))
  await stack.unwind()
  expect(storeEnded).toBe(true)
  expect(errors).toEqual([new Error('stuck')])
})

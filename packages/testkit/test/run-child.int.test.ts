import { afterEach, expect, test } from 'vitest'

import { runChild } from '../src/index.js'
import type { Child } from '../src/index.js'

const children: Child[] = []
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill('SIGKILL')
})

async function echo() {
  const child = runChild(new URL('./children/echo.ts', import.meta.url), { args: ['a', 'b'] })
  children.push(child)
  expect(await child.next('ready')).toEqual({ type: 'ready', args: ['a', 'b'] })
  return child
}

test('a child runs TypeScript, gets messages and answers them in order', async () => {
  const child = await echo()
  child.send({ type: 'say', text: 'one' })
  child.send({ type: 'say', text: 'two' })
  expect(await child.next('said')).toMatchObject({ text: 'one' })
  expect(await child.next('said')).toMatchObject({ text: 'two' })
})

test('a child that fails tells why instead of leaving its parent waiting', async () => {
  const child = await echo()
  child.send({ type: 'fail' })
  await expect(child.next('said')).rejects.toThrow('told to fail')
})

test('a child can be killed, and says with which signal', async () => {
  const child = await echo()
  await child.kill('SIGKILL')
  expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' })
})

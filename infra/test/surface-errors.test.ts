import { expect, test } from 'vitest'

import { surfaceErrors } from '../src/launch/surface-errors.js'

test('errors of a service reach the screen in one line; what is no error, or no log entry, stays in the file', () => {
  const said: string[] = []
  const surface = surfaceErrors('read', 'read.log', (line) => said.push(line))
  surface('{"level":30,"msg":"listening"}')
  surface('{"level":50,"msg":"redis is away","err":{"message":"ECONNREFUSED"}}')
  surface('{"level":50')
  surface('    at Object.<anonymous>')
  expect(said).toEqual(['read: redis is away: ECONNREFUSED'])
})

test('a flood of errors ends on the screen after twenty, with the name of the file that has the rest', () => {
  const said: string[] = []
  const surface = surfaceErrors('read', 'read.log', (line) => said.push(line))
  for (let n = 0; n < 100; n++) surface('{"level":50,"msg":"again"}')
  expect(said).toHaveLength(21)
  expect(said.at(-1)).toBe('read: more errors in read.log')
})

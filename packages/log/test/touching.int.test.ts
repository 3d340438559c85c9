import { expect, test } from 'vitest'

import { createLogReader } from '../src/index.js'
import { freshLog } from './fixture/log-fixture.js'

test('the log tells what touched one of several tags after a position, oldest first, so many of them', async () => {
  const log = await freshLog()
  await log.query('SELECT * FROM tidemark.sequence()')
  for (const tags of [['a'], ['b'], ['a', 'c'], ['d'], ['c']]) {
    await log.write(...tags)
    await log.query('SELECT * FROM tidemark.sequence()')
  }
  const reader = createLogReader(log.log, 10_000)
  const touching = async (tags: string[], position: number, limit = 10) =>
    (await reader.touching(tags, position, limit)).map((entry) => [entry.position, entry.tags])
  expect(await touching(['a', 'c'], 1)).toEqual([
    [2, ['a']],
    [4, ['a', 'c']],
    [6, ['c']],
  ])
  expect(await touching(['a', 'c'], 2, 1)).toEqual([[4, ['a', 'c']]])
  expect(await touching(['a'], 4)).toEqual([])
  expect(await touching([], 0)).toEqual([])
})

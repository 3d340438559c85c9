import { expect, test } from 'vitest'

import type { LogDatabase } from '../src/index.js'
import { createSequencer, LogError } from '../src/index.js'
import { freshLog } from './fixture/log-fixture.js'

test('a batch that takes too long is tried again smaller, until what waits has its position', async () => {
  const { log, query, write } = await freshLog()
  for (let i = 0; i < 40; i++) await write(`product:${i}`)
  /** As if Postgres needed longer than it may for more than ten at once. */
  const slow: LogDatabase = {
    query(text, values, options) {
      if (Number(values[0]) > 10) return Promise.reject(new LogError('log.unreachable', 'no answer in time'))
      return log.query(text, values, options)
    },
  }
  const sequencer = createSequencer({ log: slow, batch: 500 })
  let failures = 0
  const waiting = async (): Promise<number> =>
    Number((await query('SELECT count(*)::int AS n FROM tidemark.outbox'))[0]!['n'])
  while ((await waiting()) > 0 && failures < 50) await sequencer.sequence().catch(() => failures++)
  expect(await waiting()).toBe(0)
})

import { redisSpace } from '@tidemark/testkit'
import { expect, test } from 'vitest'

import type { LogDatabase } from '../src/index.js'
import { createSequencer, LogError } from '../src/index.js'
import { flusher, freshLog, redisAt, streamIds } from './fixture/log-fixture.js'

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

test('a call ends at what waited when it began, also where changes come as fast as they are moved', async () => {
  const { log, query, write } = await freshLog()
  const more = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await write('later')
  }
  for (let i = 0; i < 25; i++) await write('early')
  const busy: LogDatabase = {
    async query(text, values, options) {
      const rows = await log.query(text, values, options)
      if (text.includes('tidemark.sequence(')) await more()
      return rows
    },
  }
  const { token, entries } = await createSequencer({ log: busy, batch: 10, maxBatches: 12 }).sequence()
  const rest = await query(`SELECT tags FROM tidemark.outbox`)
  expect(rest.length).toBeGreaterThan(0)
  expect(rest.flatMap(({ tags }) => tags)).not.toContain('early')
  const [clock] = await query('SELECT position::int AS position FROM tidemark.clock')
  expect(token.position).toBe(clock!['position'])
  expect(entries.at(-1)?.position).toBe(token.position)
})

test('what another moved meanwhile is covered by the token, and is no entry of this call', async () => {
  const { log, query, write } = await freshLog()
  for (let i = 0; i < 25; i++) await write(`product:${i}`)
  let isFirst = true
  const raced: LogDatabase = {
    async query(text, values, options) {
      const rows = await log.query(text, values, options)
      if (isFirst && text.includes('tidemark.sequence(')) {
        isFirst = false
        await query('SELECT tidemark.sequence(1000)')
      }
      return rows
    },
  }
  const { token, entries, link } = await createSequencer({ log: raced, batch: 10 }).sequence()
  const [clock] = await query('SELECT position::int AS position, mark::float8 AS mark FROM tidemark.clock')
  expect({ position: token.position, mark: link.mark }).toEqual(clock)
  expect(entries).toEqual([])
})

test('what another moved between the last two batches is shipped too: whoever is told so finds it in the stream', async () => {
  const base = await freshLog()
  const { url, prefix } = redisSpace()
  await flusher(base, [{ redis: url, prefix }]).flush()
  for (let i = 0; i < 25; i++) await base.write(`product:${i}`)
  let isFirst = true
  const raced: LogDatabase = {
    async query(text, values, options) {
      const rows = await base.log.query(text, values, options)
      if (isFirst && text.includes('isWaiting')) {
        isFirst = false
        await base.query('SELECT tidemark.sequence(1000)')
      }
      return rows
    },
  }
  const sequencer = createSequencer({ log: raced, batch: 10 })
  const flush = flusher(base, [{ redis: url, prefix }], { sequencer })
  const got = await flush.flush()
  const { links } = await streamIds(redisAt(url), prefix)
  expect(got.shipped).toBe(true)
  expect(links.at(-1)).toBe(`${got.token.position}-0`)
})

test('a call that meets a crash between two batches ends in the new epoch', async () => {
  const { log, query, write } = await freshLog()
  await createSequencer({ log }).sequence()
  for (let i = 0; i < 25; i++) await write(`product:${i}`)
  let isFirst = true
  const crashed: LogDatabase = {
    async query(text, values, options) {
      if (isFirst && text.includes('isWaiting')) {
        isFirst = false
        // What a crash does to an unlogged table, once the rest has been moved by another.
        await query('SELECT tidemark.sequence(1000)')
        await query('DELETE FROM tidemark.pulse')
      }
      return log.query(text, values, options)
    },
  }
  const { token } = await createSequencer({ log: crashed, batch: 10 }).sequence()
  expect(token.term).toBe(2)
})

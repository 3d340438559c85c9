import type { Change, LogEntry } from '@tidemark/log'
import { expect, test } from 'vitest'

import { entryEvents, heartbeatEvent, resetEvent } from '../src/changes/events.js'

const change = (key: string, more: Partial<Change> = {}): Change => ({
  ...{ resource: 'product', operation: 'update', tags: [`product:${key}`, 'product'], key },
  ...{ version: 3, changedAt: 1_700_000_000_000, trace: '00-secret', reason: null, ...more },
})

const entry = (...changes: Change[]): LogEntry => ({
  ...{ position: 4711, mark: 1, previousMark: 2, epoch: { term: 2, nonce: 9 }, tags: [], sequencedAt: 0 },
  ...{ changes, isAbridged: false },
})

const idsOf = (events: readonly string[]): (string | undefined)[] =>
  events.map((text) => /^id: (.*)$/m.exec(text)?.[1])

test('a change is one line of JSON under its name, with the token that covers it', () => {
  const [text] = entryEvents(entry(change('a\n"\u2028')), undefined)
  const data = {
    ...{
      resource: 'product',
      key: 'a\n"\u2028',
      operation: 'update',
      tags: ['product:a\n"\u2028', 'product'],
    },
    ...{ version: 3, changedAt: 1_700_000_000_000, token: '2-4711' },
  }
  expect(text).toBe(`event: change\nid: 2-4711\ndata: ${JSON.stringify(data)}\n\n`)
})

test('of a position with several changes the last alone has an id', () => {
  expect(idsOf(entryEvents(entry(change('1'), change('2'), change('3')), undefined))).toEqual([
    ...[undefined, undefined],
    '2-4711',
  ])
})

test('the last that passes the filter has the id', () => {
  const passes = ({ key }: Change): boolean => key !== '3'
  const told = entryEvents(entry(change('1'), change('2'), change('3')), passes)
  expect(idsOf(told)).toEqual([undefined, '2-4711'])
  expect(entryEvents(entry(change('3')), passes)).toEqual([])
})

test('a new epoch is a reset, whatever the filter', () => {
  const epoch = change('x', { resource: '-', key: null, operation: 'epoch', tags: [] })
  const reset = 'event: reset\nid: 2-4711\ndata: {"reason":"epoch","token":"2-4711"}\n\n'
  expect(entryEvents(entry(epoch), () => false)).toEqual([reset])
  expect(resetEvent('epoch', { term: 2, position: 4711 })).toBe(reset)
})

test('a heartbeat tells the place and the bound', () => {
  expect(heartbeatEvent({ term: 1, position: 2 }, 3)).toBe(
    'event: heartbeat\nid: 1-2\ndata: {"token":"1-2","lagMs":3}\n\n',
  )
})

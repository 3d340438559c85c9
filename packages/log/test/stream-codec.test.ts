import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { LogEntry } from '../src/index.js'
import { decodeItem, decodeTail, encodeLink, isBefore } from '../src/redis/stream-codec.js'

const entry: LogEntry = {
  position: 10,
  mark: 2 ** 48 - 1,
  previousMark: 3,
  epoch: { term: 2, nonce: 77 },
  tags: ['product:42', 'product.name="ü"'],
  changes: [
    {
      resource: 'product',
      key: '42',
      operation: 'update',
      tags: ['product:42'],
      version: 9,
      changedAt: 1_700_000_000_000,
      trace: null,
      reason: null,
    },
  ],
  isAbridged: false,
  sequencedAt: 1_700_000_000_001,
}

const names = ['m', 'q', 't', 'e', 'k', 'c', 's']
const asStored = (link: LogEntry): [string, string[]] => {
  const [position, ...values] = encodeLink(link)
  return [`${position!}-0`, names.flatMap((name, i) => [name, values[i]!])]
}

test('a link reads as it was written', () => {
  const item = decodeItem(asStored(entry))
  const { position, mark, previousMark, epoch, tags, changes, isAbridged, sequencedAt } =
    item?.kind === 'link' ? item.entry : ({} as LogEntry)
  expect({ position, mark, previousMark, epoch, tags, changes, isAbridged, sequencedAt }).toEqual(entry)
})

test('details past the bound are left out, and the entry says so', () => {
  const item = decodeItem(
    asStored({ ...entry, changes: Array<(typeof entry.changes)[0]>(3_000).fill(entry.changes[0]!) }),
  )
  expect(item?.kind === 'link' && [item.entry.isAbridged, item.entry.changes, item.entry.tags]).toEqual([
    true,
    [],
    entry.tags,
  ])
})

test('the last link can be read from a heartbeat alone', () => {
  const tail = decodeTail([['10-3', ['m', '5', 't', '2', 'e', '77', 'g', '6', 'n', '1']]])
  expect(tail).toEqual({
    id: { position: 10, sequence: 3 },
    epoch: { term: 2, nonce: 77 },
    link: { position: 10, mark: 5 },
  })
})

test('whatever stands in a stream, decoding it gives an entry or nothing', () => {
  const field = fc.oneof(fc.constantFrom(...names, 'g', 'n', '1', '[]', '["a"]', '[1]', '{'), fc.string())
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constant('1-0'), fc.constant('1-2')),
      fc.array(field),
      (id, fields) => {
        const item = decodeItem([id, fields])
        if (item?.kind === 'link') expect(Array.isArray(item.entry.changes)).toBe(true)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('stream IDs order as numbers', () => {
  expect(isBefore({ position: 9, sequence: 0 }, { position: 10, sequence: 0 })).toBe(true)
  expect(isBefore({ position: 10, sequence: 2 }, { position: 10, sequence: 10 })).toBe(true)
  expect(isBefore({ position: 10, sequence: 0 }, { position: 10, sequence: 0 })).toBe(false)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { LogEntry } from '../src/index.js'
import { decodeItem, decodeTail, encodeLink, isBefore, linkId, streamId } from '../src/redis/stream-codec.js'

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
    asStored({ ...entry, changes: Array<(typeof entry.changes)[0]>(200).fill(entry.changes[0]!) }),
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
    id: { text: '10-3', position: 10, sequence: 3 },
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

test('tags past the bound are shipped as the one that every value sinks under', () => {
  const tags = Array.from({ length: 10_000 }, (_, i) => `product:${i}-xxxxxxxxxxxxxxxx`)
  const item = decodeItem(asStored({ ...entry, tags }))
  expect(item?.kind === 'link' && item.entry.tags).toEqual(['*'])
})

test('stream IDs order as numbers', () => {
  expect(isBefore(streamId('9-0'), streamId('10-0'))).toBe(true)
  expect(isBefore(streamId('10-2'), streamId('10-10'))).toBe(true)
  expect(isBefore(streamId('10-0'), linkId(10))).toBe(false)
})

test('an ID past 2^53 is of no log, and a reader can go on from it and come back', () => {
  const id = '18446744073709551615-1'
  expect(decodeItem([id, ['m', '1', 't', '1', 'e', '1', 'g', '1', 'n', '1']])).toBeUndefined()
  expect(streamId(id).text).toBe(id)
  expect(isBefore(linkId(10), streamId(id))).toBe(true)
})

import { passing } from '@tidemark/log'
import type { Change, ChangeFilter, LogEntry } from '@tidemark/log'
import { surrogateKey } from '@tidemark/service'
import { expect, test } from 'vitest'
import { restBefore } from '../src/webhooks/deliver.js'
import type { Hook } from '../src/webhooks/hook.js'
import { bytesMax, changesMax, messagesOf } from '../src/webhooks/messages.js'
import type { Message } from '../src/webhooks/messages.js'
import { requestsOf } from '../src/webhooks/requests.js'

const change = (...tags: string[]): Change => ({
  ...{ resource: '-', key: null, operation: 'invalidate', tags, version: null },
  ...{ changedAt: 1_000, trace: null, reason: null },
})
const entry = (position: number, ...changes: Change[]): LogEntry => ({
  ...{ position, mark: position, previousMark: position - 1, epoch: { term: 1, nonce: 1 }, tags: [] },
  ...{ changes, isAbridged: false, sequencedAt: 1_000 },
})
const page = (...entries: LogEntry[]) => messagesOf({ kind: 'entries', entries }, {})
const tagsOf = (messages: readonly Message[]): string[] =>
  messages.flatMap((message) =>
    message.kind === 'changes' ? message.changes.flatMap(({ tags }) => tags) : [],
  )

test('positions are joined, and cut where there are too many changes or bytes', () => {
  expect(page(entry(1, change('a')), entry(2, change('b')))).toHaveLength(1)
  const many = Array.from({ length: changesMax + 1 }, (_, i) => change(`t:${i}`))
  expect(page(entry(1, ...many))).toHaveLength(2)
  expect(tagsOf(page(entry(1, ...many)))).toHaveLength(changesMax + 1)
  const large = change('x'.repeat(bytesMax / 2))
  expect(page(entry(1, large, large, large))).toHaveLength(3)
  expect(page(entry(1), entry(2))).toEqual([])
})

test('the same page makes the same ids; another page makes others, and no id holds a colon or a full stop', () => {
  const [first, second] = [entry(1, change('a')), entry(2, change('b'))]
  const ids = (...entries: LogEntry[]): string[] => page(...entries).map(({ id }) => id)
  expect(ids(first, second)).toEqual(ids(first, second))
  // A page that comes again with more must not be taken for the one that is known.
  expect(new Set([...ids(first), ...ids(first, second), ...ids(second)]).size).toBe(3)
  expect(ids(first)[0]).toMatch(/^1-1-[0-9a-f]{16}$/)
})

const cases: [ChangeFilter, Change, boolean][] = [
  [{}, change('product:1'), true],
  [{ resources: ['product'] }, change('product.slug=a'), true],
  [{ resources: ['product'] }, { ...change('x'), resource: 'product' }, true],
  [{ resources: ['product'] }, change('brand:1'), false],
  [{ resources: ['prod'] }, change('product:1'), false],
  [{ tags: ['product:1'] }, change('product:1', 'product'), true],
  [{ tags: ['product:1'] }, change('product:2', 'product'), false],
  [{ tags: ['product:1'] }, change('product!all'), true],
  [{ tags: ['product.categoryId=7'] }, change('product!all'), true],
  [{ tags: ['product:1'] }, change('brand!all'), false],
  [{ tags: ['!ns:a'] }, change('!ns'), true],
  [{ tags: ['!ns:a'] }, change('!ns:b'), false],
  [{ tags: ['product:1'], resources: ['brand'] }, change('*'), true],
  [{ tags: ['product:1'], resources: ['brand'] }, change('product:1'), false],
]

test('changes pass a filter that they may concern', () => {
  for (const [filter, given, wanted] of cases)
    expect([filter, given.tags, passing(filter)?.(given) ?? true]).toEqual([filter, given.tags, wanted])
})

const purging = {
  ...{ name: 'cdn', url: 'http://h:1', againMs: 0, isSoft: false },
  ...{ concurrency: 1, timeoutMs: 1, attempts: 1, retryAfterMs: 5_000, backlogMax: 1 },
}
const varnish: Hook = { ...purging, style: 'varnish' }
const fastly: Hook = {
  ...purging,
  style: 'fastly',
  service: 'S1',
  token: 'the-token-of-fastly',
  isSoft: true,
}
const told = (...tags: string[]): Message => page(entry(1, change(...tags)))[0]!

test('tags become the keys of a purge, in requests of bounded size', () => {
  expect(requestsOf(varnish, told('product:1', 'a b,c'), 0)).toEqual([
    { method: 'PURGE', url: 'http://h:1', headers: { 'xkey-purge': 'product:1 a%20b%2Cc' } },
  ])
  expect(requestsOf(fastly, told('product:1'), 0)).toEqual([
    {
      method: 'POST',
      url: 'http://h:1/service/S1/purge',
      headers: {
        ...{ 'Fastly-Key': 'the-token-of-fastly', Accept: 'application/json' },
        ...{ 'Surrogate-Key': 'product:1', 'Fastly-Soft-Purge': '1' },
      },
    },
  ])
  const many = Array.from({ length: 600 }, (_, i) => `t:${i}`)
  const keys = requestsOf(fastly, told(...many), 0).map(({ headers }) => headers['Surrogate-Key']!.split(' '))
  expect(keys.map(({ length }) => length)).toEqual([256, 256, 88])
  expect(keys.flat()).toEqual(many)
  const long = Array.from({ length: 100 }, (_, i) => `t:${'x'.repeat(180)}${i}`)
  for (const { headers } of requestsOf(varnish, told(...long), 0))
    expect(headers['xkey-purge']!.length).toBeLessThan(6_200)
})

test('everything, and a reset, purge everything', () => {
  const gone = messagesOf(
    { kind: 'gone', reason: 'trimmed', head: { term: 1, position: 9 } },
    { tags: ['x'] },
  )
  for (const message of [told('a', '*'), gone[0]!]) {
    expect(requestsOf(varnish, message, 0)).toEqual([{ method: 'BAN', url: 'http://h:1', headers: {} }])
    expect(requestsOf(fastly, message, 0).map(({ url }) => url)).toEqual(['http://h:1/service/S1/purge_all'])
  }
})

test('two tags never have one key, and a key is one word of a header', () => {
  const tags = [
    'a b',
    'a%20b',
    'a,b',
    'ü',
    '~x',
    `${'ü'.repeat(100)}`,
    `${'ü'.repeat(101)}`,
    "it's",
    'product.name=x y',
  ]
  const keys = tags.map(surrogateKey)
  expect(new Set(keys).size).toBe(tags.length)
  for (const key of keys) expect(key).toMatch(/^[\w.:=!*%~-]{1,200}$/)
  expect(['product:42', 'product.categoryId=7', 'product!all', '*'].map(surrogateKey)).toEqual([
    ...['product:42', 'product.categoryId=7', 'product!all', '*'],
  ])
})

test('rests double up to an hour, and are never the same for all', () => {
  const rest = (attempt: number, random: number): number =>
    restBefore(varnish, attempt, new Error(), () => random)
  expect([1, 2, 3].map((attempt) => rest(attempt, 1))).toEqual([5_000, 10_000, 20_000])
  expect(rest(1, 0)).toBe(2_500)
  expect(rest(30, 1)).toBe(3_600_000)
})

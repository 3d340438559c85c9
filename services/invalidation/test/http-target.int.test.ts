/** Another team's cache, one that goes on serving what it holds for three seconds after a change. */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '@tidemark/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { createAuditor } from '../src/auditor/auditor.js'
import { httpTarget, httpTargetSchema } from '../src/auditor/http-target.js'
import { auditHorizons, auditTargets } from '../src/auditor/targets-config.js'
import { HandClock } from './fixture/hand-clock.js'

const staleForMs = 3_000

async function listen(answer: (path: string, res: ServerResponse) => void): Promise<string> {
  const server = createServer((req, res) => {
    answer(req.url!, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function setUp(rules: object = {}) {
  const clock = new HandClock()
  const house = { version: 1, changedAt: -Infinity, wasBefore: 1, asked: 0, isMissing: false }
  const send = (res: ServerResponse, version: number, more: object = {}): void => {
    if (house.isMissing) res.writeHead(404).end()
    else
      res
        .setHeader('ETag', `"${version}"`)
        .end(JSON.stringify({ item: { price: version * 10, version }, ...more }))
  }
  const origin = await listen((_path, res) => {
    send(res, house.version)
  })
  const cache = await listen((path, res) => {
    house.asked++
    const isStale = clock.now().monoMs < house.changedAt + staleForMs
    send(res, isStale ? house.wasBefore : house.version, { servedBy: path })
  })
  const target = httpTarget(
    httpTargetSchema.parse({
      name: 'theirs',
      answer: `${cache}/cached/{key}`,
      truth: `${origin}/items/{key}`,
      keys: ['a b'],
      compare: '/item',
      version: '/item/version',
      ...rules,
    }),
  )
  const auditor = createAuditor({
    target,
    samplesPerSecond: 0,
    onBroken: () => undefined,
    onError: () => undefined,
    clock,
  })
  onTestFinished(() => auditor.stop())
  const looks = (): number =>
    auditor.horizons.reduce((sum, { counts }) => sum + Object.values(counts).reduce((a, b) => a + b), 0)
  return {
    auditor,
    house,
    change(): void {
      Object.assign(house, {
        wasBefore: house.version,
        version: house.version + 1,
        changedAt: clock.now().monoMs,
      })
    },
    async pass(ms: number) {
      await clock.pass(ms, async () => {
        const before = looks()
        await eventually(() => looks() > before)
      })
    },
    inconsistent: () => auditor.horizons.map(({ counts }) => counts.inconsistent),
  }
}

describe('a cache that is stale for three seconds after a change', () => {
  test('is found at 0 and at 1 second, and not at 5 or 60', async () => {
    const { auditor, change, pass, inconsistent } = await setUp({ promisedMs: 500 })
    change()
    await auditor.sample()
    await pass(60_000)
    expect(inconsistent()).toEqual([1, 1, 0, 0])
    expect(auditor.horizons.map(({ broken }) => broken)).toEqual([0, 1, 0, 0])
    expect(auditor.findings).toMatchObject([
      {
        key: 'a b',
        truth: { state: { version: 2 } },
        looks: [{ answer: { state: { version: 1 }, headers: { etag: '"1"' } } }, {}, {}, {}],
      },
    ])
  })

  test('is not accused of a change that came after the truth', async () => {
    const { auditor, change, pass, inconsistent } = await setUp()
    await auditor.sample()
    change()
    await pass(60_000)
    expect(inconsistent()).toEqual([0, 0, 0, 0])
    expect(auditor.horizons.map(({ counts }) => counts.consistent)).toEqual([1, 1, 1, 1])
  })

  test('is found by versions, also while the value goes on changing', async () => {
    const { auditor, house, change, pass, inconsistent } = await setUp()
    change()
    await auditor.sample()
    house.version = 3
    await pass(1_000)
    expect(inconsistent()).toEqual([1, 1, 0, 0])
  })

  test('nothing is said where there are no versions and the value goes on changing', async () => {
    const { auditor, house, change, pass, inconsistent } = await setUp({ version: undefined })
    change()
    await auditor.sample()
    house.version = 3
    await pass(1_000)
    expect(inconsistent()).toEqual([1, 0, 0, 0])
    expect(auditor.horizons[1]!.counts.inconclusive).toBe(1)
  })
})

test.each(['etag', '/item/price'])(
  '%s can be what is compared; two answers of nothing are the same',
  async (compare) => {
    const { auditor, house, change, pass, inconsistent } = await setUp({ compare })
    await auditor.sample()
    change()
    await auditor.sample()
    house.isMissing = true
    await auditor.sample()
    expect(inconsistent()).toEqual([1, 0, 0, 0])
    expect(auditor.horizons[0]!.counts).toMatchObject({ consistent: 2 })
    await pass(0)
  },
)

describe('its configuration', () => {
  const right = { name: 'theirs', answer: 'http://c/{key}', truth: 'http://o/{key}', keys: ['1'] }
  const parse = (given: unknown) =>
    auditTargets().safeParse(typeof given === 'string' ? given : JSON.stringify(given))

  test('is a JSON list of targets', () => {
    expect(parse([right]).data).toEqual([{ ...right, compare: 'body' }])
    expect(parse('[]').data).toEqual([])
  })

  test.each([
    ['no JSON', 'nonsense', 'JSON list'],
    ['no list', right, 'array'],
    ['no {key}', [{ ...right, answer: 'http://c/1' }], '{key}'],
    ['another protocol', [{ ...right, truth: 'file:///{key}' }], 'http URL'],
    ['no keys', [{ ...right, keys: [] }], '1'],
    ['a name twice', [right, right], 'twice'],
    ['a word too much', [{ ...right, key: '1' }], 'key'],
    ['no pointer', [{ ...right, version: 'version' }], 'pointer'],
  ])('%s is refused by name', (_, given, said) => {
    const { error } = parse(given)
    expect(z.prettifyError(error!)).toContain(said)
  })

  test.each(['', '0,0', '5,1', '1e3', '0,700000', '0,1,2,3,4,5,6,7,8'])(
    'the horizons %j are refused',
    (given) => {
      expect(auditHorizons().safeParse(given).success).toBe(false)
    },
  )
})

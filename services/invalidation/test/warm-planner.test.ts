import type { FollowEvent, FollowListener, LiveFollower } from '@tidemark/log'
import { expect, test } from 'vitest'

import type { Jobs, NewJob } from '../src/jobs/jobs.js'
import { HotIndex } from '../src/warm/hot-index.js'
import type { WarmData } from '../src/warm/warm-job.js'
import { planWarming } from '../src/warm/warm-planner.js'

const epoch = { term: 1, nonce: 7 }
const link = { position: 9, mark: 1 }
const applied = (...tags: string[]): FollowEvent => ({
  kind: 'applied',
  entry: {
    ...{ epoch, ...link, previousMark: 0, tags, changes: [], isAbridged: false, sequencedAt: 0 },
  },
})

/** A follower whose steps the test makes, and a queue that answers when the test lets it. */
function setUp(hotKeys: number) {
  const listeners = new Set<FollowListener>()
  const calls: { keys: string[]; tokens: string[]; answer: (error?: Error) => void }[] = []
  const follower = { token: { term: 1, position: 9 } }
  const index = new HotIndex()
  const keys = Array.from({ length: hotKeys }, (_, n) => ({
    key: `/v1/products/${n}`,
    tags: [`product:${n}`, 'product!all'],
    heat: hotKeys - n,
  }))
  index.renew([{ id: 'a', keys }])
  const errors: unknown[] = []
  const jobs: Pick<Jobs, 'add'> = {
    add: (_name, added) =>
      new Promise((resolve, reject) => {
        const data = (added as readonly NewJob<WarmData>[]).map((job) => job.data)
        calls.push({
          keys: data.map(({ key }) => key.slice(13)),
          tokens: [...new Set(data.map(({ token }) => token))],
          answer: (error) => {
            if (error === undefined) resolve()
            else reject(error)
          },
        })
      }),
  }
  const tide = {
    follower,
    listen(listener: FollowListener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  } as unknown as LiveFollower
  const planner = planWarming({ tide, index, jobs, onError: (error) => errors.push(error) })
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) await Promise.resolve()
  }
  return {
    ...{ calls, errors, planner, follower },
    async step(...events: FollowEvent[]) {
      for (const event of events) for (const listener of listeners) listener(event)
      await turns()
    },
    async answer(error?: Error) {
      calls.at(-1)!.answer(error)
      await turns()
    },
    get listeners() {
      return listeners.size
    },
  }
}

test('what sinks in one turn is asked for in one call, with a token that covers it', async () => {
  const { calls, step } = setUp(5)
  await step(applied('product:3'), applied('product:1', 'brand:1'), applied('product:99'))
  expect(calls).toMatchObject([{ keys: ['1', '3'], tokens: ['1-9'] }])
})

test('what sinks during a call is asked for after it, each key once', async () => {
  const { calls, step, answer, follower, planner } = setUp(5)
  await step(applied('product:1'))
  for (let n = 0; n < 50; n++) await step(applied('product:1'), applied('product:2'))
  expect(calls).toHaveLength(1)
  follower.token = { term: 1, position: 60 }
  await answer()
  expect(calls[1]).toMatchObject({ keys: ['1', '2'], tokens: ['1-60'] })
  await answer()
  expect([calls.length, planner.counters]).toEqual([2, { asked: 3, dropped: 0 }])
})

test.each<[string, FollowEvent]>([
  ['a gap', { kind: 'rebased', link }],
  ['a new epoch', { kind: 'adopted', epoch, link }],
  ['a change of everything', applied('*')],
])('%s sinks all that is hot: the hottest first, so many in a call', async (_, event) => {
  const { calls, step, answer } = setUp(450)
  await step(event)
  for (let n = 0; n < 3; n++) await answer()
  expect(calls.map(({ keys }) => [keys.length, keys[0], keys.at(-1)])).toEqual([
    [200, '0', '199'],
    [200, '200', '399'],
    [50, '400', '449'],
  ])
})

test('a queue that is away costs those keys, and the next are asked for', async () => {
  const { calls, step, answer, errors, planner } = setUp(5)
  await step(applied('product:1'))
  await answer(new Error('away'))
  await step(applied('product:2'))
  await answer()
  expect(calls.map(({ keys }) => keys)).toEqual([['1'], ['2']])
  expect([errors.length, planner.counters]).toEqual([1, { asked: 1, dropped: 1 }])
})

test('a stop listens no more and waits for the call under way', async () => {
  const { step, answer, planner, calls, listeners } = setUp(5)
  expect(listeners).toBe(1)
  await step(applied('product:1'))
  await step(applied('product:2'))
  let hasStopped = false
  const stopping = planner.stop().then(() => {
    hasStopped = true
  })
  await step()
  expect(hasStopped).toBe(false)
  await answer()
  await stopping
  expect(calls).toHaveLength(1)
})

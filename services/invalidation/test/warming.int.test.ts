import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLogger } from '@tidemark/service'
import { eventually, redisSpace } from '@tidemark/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'

import { createJobs } from '../src/jobs/jobs.js'
import type { Jobs } from '../src/jobs/jobs.js'
import { createReader } from '../src/reader/reader.js'
import { warmJob } from '../src/warm/warm-job.js'
import type { WarmData } from '../src/warm/warm-job.js'
import { warm } from '../src/warm/warm-worker.js'

const logger = createLogger({ name: 'test', level: 'silent' })
const until = { timeoutMs: 20_000 }

function openJobs({ url, prefix } = redisSpace()): Jobs {
  const jobs = createJobs({ url, prefix, logger })
  onTestFinished(() => jobs.stop(AbortSignal.timeout(5_000)))
  return jobs
}

const hot = (n: number, heat = 1) => ({ key: `/v1/products/${n}`, tags: [], heat })

/** Takes jobs one at a time; each runs until it is let go. */
function gatedWorker(jobs: Jobs) {
  const taken: WarmData[] = []
  const gates: (() => void)[] = []
  jobs.work<WarmData>(
    'warm',
    ({ data }) =>
      new Promise((resolve) => {
        taken.push(data)
        gates.push(resolve)
      }),
    { concurrency: 1 },
  )
  return {
    taken,
    letGo: (): void => {
      gates.shift()?.()
    },
  }
}

describe('of a key there is', () => {
  test('one job however often it sinks while it waits, also when two services ask', async () => {
    const space = redisSpace()
    const [one, other] = [openJobs(space), openJobs(space)]
    for (const token of ['1-5', '1-6', '1-7'])
      await Promise.all([
        one.add('warm', [warmJob(hot(1), token)]),
        other.add('warm', [warmJob(hot(1), token)]),
      ])
    await one.add('warm', [warmJob(hot(2), '1-8')])
    expect(await one.depth('warm')).toMatchObject({ prioritized: 2, waiting: 0, delayed: 0 })
  })

  test('one more job when it sinks while it is being loaded', async () => {
    const jobs = openJobs()
    const worker = gatedWorker(jobs)
    await jobs.add('warm', [warmJob(hot(1), '1-5')])
    await eventually(() => worker.taken.length === 1, until)
    for (const token of ['1-6', '1-7']) await jobs.add('warm', [warmJob(hot(1), token)])
    worker.letGo()
    await eventually(() => worker.taken.length === 2, until)
    expect(worker.taken[1]).toEqual({ key: '/v1/products/1', token: '1-7' })
    worker.letGo()
    await eventually(async () => {
      expect(await jobs.depth('warm')).toEqual({
        waiting: 0,
        prioritized: 0,
        delayed: 0,
        active: 0,
        failed: 0,
      })
    }, until)
    // And the key is free again.
    await jobs.add('warm', [warmJob(hot(1), '1-8')])
    await eventually(() => worker.taken.length === 3, until)
    worker.letGo()
  })
})

test('the hottest is loaded first', async () => {
  const jobs = openJobs()
  const keys = [hot(1, 0.5), hot(2, 90), hot(3, 7), hot(4, 2_000)]
  await jobs.add(
    'warm',
    keys.map((each) => warmJob(each, '1-5')),
  )
  const worker = gatedWorker(jobs)
  for (let n = 1; n <= keys.length; n++) {
    await eventually(() => worker.taken.length === n, until)
    worker.letGo()
  }
  expect(worker.taken.map(({ key }) => Number(key.slice(13)))).toEqual([4, 2, 3, 1])
})

/** Stands for a read service: what it was asked, and what it answers. */
async function listen(status = 200, cacheStatus = 'tidemark; fwd=miss; detail=origin') {
  const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const server = createServer((req, res) => {
    asked.push({ url: req.url, headers: req.headers })
    res.writeHead(status, { 'Cache-Status': cacheStatus, Location: '/elsewhere' }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, reader: createReader(`http://127.0.0.1:${port}/base/`) }
}

const signal = new AbortController().signal
const job = (data: unknown, timestamp = 1_000) => ({ data, timestamp })
const wanted = { key: '/v1/products/1?x=y', token: '1-5' }

describe('a load', () => {
  test.each([
    ['what this process has applied when the job starts', { term: 1, position: 9 }, '1-9'],
    ['the change that sank the key, where this process is behind', { term: 1, position: 3 }, '1-5'],
    ['the change of a later term', { term: 2, position: 1 }, '2-1'],
    ['the change, where nothing is applied', undefined, '1-5'],
  ])('asks for %s', async (_, applied, token) => {
    const { asked, reader } = await listen()
    expect(await warm(job(wanted), signal, { reader, applied: () => applied, nowMs: () => 2_000 })).toBe(
      'loaded',
    )
    expect(asked).toMatchObject([
      { url: '/base/v1/products/1?x=y', headers: { tidemark: token, 'tidemark-purpose': 'warm' } },
    ])
  })

  const options = { applied: () => undefined, nowMs: () => 2_000 }

  test.each([
    [200, 'tidemark; hit; ttl=3; detail=l1', 'held'],
    [404, 'tidemark; fwd=miss; detail=origin', 'loaded'],
    [301, '', 'refused'],
    [400, '', 'refused'],
  ])('%i with %j is no failure', async (status, cacheStatus, outcome) => {
    const { asked, reader } = await listen(status, cacheStatus)
    expect(await warm(job(wanted), signal, { ...options, reader })).toBe(outcome)
    expect(asked).toHaveLength(1)
  })

  test.each([503, 500, 429])('%i is tried again', async (status) => {
    const { reader } = await listen(status)
    await expect(warm(job(wanted), signal, { ...options, reader })).rejects.toThrow(String(status))
  })

  test('that comes too late is not made', async () => {
    const { asked, reader } = await listen()
    expect(await warm(job(wanted), signal, { ...options, reader, nowMs: () => 60_000 })).toBe('expired')
    expect(asked).toEqual([])
  })

  test.each([
    [{ key: '/v1/../admin', token: '1-5' }],
    [{ key: '/v1/%2e%2e/admin', token: '1-5' }],
    [{ key: '//elsewhere.example/v1/x', token: '1-5' }],
    [{ key: '@elsewhere.example/v1/x', token: '1-5' }],
    [{ key: '/v1/products/1', token: 'x' }],
    [{ token: '1-5' }],
    [null],
  ])('of %j is never asked for', async (data) => {
    const { asked, reader } = await listen()
    const outcome = await warm(job(data), signal, { ...options, reader }).catch(() => 'refused')
    expect([outcome, asked]).toEqual(['refused', []])
  })
})

import { createLogger } from '@tidemark/service'
import { eventually, faultProxy, redisSpace } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createJobs } from '../src/jobs/jobs.js'
import type { Jobs } from '../src/jobs/jobs.js'

const logger = createLogger({ name: 'test', level: 'silent' })
const until = { timeoutMs: 20_000 }

function openJobs(url = redisSpace().url, prefix = redisSpace().prefix): Jobs {
  const jobs = createJobs({ url, prefix, logger })
  onTestFinished(() => jobs.stop(AbortSignal.timeout(5_000)))
  return jobs
}

const once = { options: { attempts: 1 } }

test('a job that fails its last attempt is a dead letter, and stays one', async () => {
  const jobs = openJobs()
  await jobs.add('webhooks-test', [{ data: { n: 1 }, ...once }])
  jobs.work('webhooks-test', () => Promise.reject(new Error('no')), { concurrency: 1 })
  await eventually(async () => (await jobs.depth('webhooks-test')).failed === 1, until)
  expect(await jobs.depth('webhooks-test')).toEqual({
    waiting: 0,
    prioritized: 0,
    delayed: 0,
    active: 0,
    failed: 1,
  })
})

test('one name, two processes: each job is done by one of them, and one that dies leaves its job to the other', async () => {
  const { url, prefix } = redisSpace()
  const [first, second] = [openJobs(url, prefix), openJobs(url, prefix)]
  const done: number[] = []
  let hangs: AbortSignal | undefined
  first.work<{ n: number }>(
    'warm',
    (_job, signal) =>
      new Promise((_resolve, reject) => {
        hangs = signal
        signal.addEventListener('abort', () => {
          reject(new Error('abandoned'))
        })
      }),
    { concurrency: 1 },
  )
  await first.add('warm', [{ data: { n: 1 }, options: { attempts: 2, backoff: 0 } }])
  await eventually(() => hangs !== undefined, until)
  await first.stop(AbortSignal.timeout(100))
  expect(hangs!.aborted).toBe(true)
  second.work<{ n: number }>(
    'warm',
    (job) => {
      done.push(job.data.n)
      return Promise.resolve()
    },
    { concurrency: 1 },
  )
  await second.add('warm', [{ data: { n: 2 } }])
  await eventually(() => done.includes(2), until)
})

test('a Redis that hangs or is gone is an error in time, not a wait', async () => {
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const jobs = openJobs(proxy.url, prefix)
  await jobs.add('warm', [{ data: 1 }])
  proxy.hang()
  await expect(jobs.add('warm', [{ data: 2 }])).rejects.toMatchObject({ code: 'jobs.unreachable' })
  await proxy.cut()
  await expect(jobs.depth('warm')).rejects.toMatchObject({ code: 'jobs.unreachable' })
})

import { eventually, redisSpace, runChild } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { flusher, freshLog, keepFlushing } from './fixture/log-fixture.js'

const maxLagMs = 600

test('a reader paused past its bound says unproven when it wakes, before anything else, and recovers', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  keepFlushing(flusher(log, [{ redis: url, prefix }]))
  const reader = runChild(new URL('./children/reader.ts', import.meta.url), {
    args: [url, prefix, '', String(maxLagMs)],
  })
  onTestFinished(() => reader.kill('SIGKILL'))
  await reader.next('started', 30_000)
  const look = async (): Promise<Record<string, unknown>> => {
    reader.send({ type: 'looked' })
    return reader.next('looked')
  }
  await eventually(async () => (await look())['isProven'])
  reader.signal('SIGSTOP')
  await log.write('product:1')
  const pausedAt = performance.now()
  await eventually(() => performance.now() - pausedAt > 3 * maxLagMs, { everyMs: 50 })
  reader.signal('SIGCONT')
  const woke = await reader.next('woke')
  expect(woke).toMatchObject({ isProven: false })
  expect(Number(woke['lagMs'])).toBeGreaterThan(2 * maxLagMs)
  await eventually(async () => {
    const { isProven, applied } = await look()
    return isProven === true && applied === 2
  })
})

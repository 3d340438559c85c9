/** Webhooks by the service as it runs: invalidation services come and go, and no change is left out. */
import { eventually } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { startReceiver } from './fixture/receiver.js'
import { startShop } from './fixture/shop.js'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

test(
  'every change is told although each service is killed in the middle of telling',
  { timeout: 180_000 },
  async () => {
    const receiver = await startReceiver()
    // Slow enough that a kill meets messages in every state: in the log, in the queue, on the way.
    receiver.answer = (res) => setTimeout(() => res.writeHead(204).end(), 20)
    const hook = { name: 'orders', url: receiver.url, secret, retryAfter: '50ms' }
    const house = await startShop({ services: ['invalidation'], env: { WEBHOOKS: JSON.stringify([hook]) } })
    onTestFinished(() => house.stop())
    await eventually(async () => (await house.sql('SELECT 1 FROM tidemark.cursor')).length === 1)

    let count = 0
    for (let life = 0; life < 3; life++) {
      const told = receiver.tags().size
      for (let change = 0; change < 40; change++)
        await house.sql('UPDATE product SET stock = stock + 1 WHERE id = $1', [++count])
      await eventually(() => receiver.tags().size > told + 5, { timeoutMs: 60_000 })
      await house.invalidation.process.kill('SIGKILL')
      await house.start('invalidation')
    }
    const wanted = Array.from({ length: count }, (_, i) => `product:${i + 1}`)
    await eventually(
      () => {
        const told = receiver.tags()
        expect(wanted.filter((tag) => !told.has(tag))).toEqual([])
      },
      { timeoutMs: 90_000, everyMs: 100 },
    )
    expect(receiver.got.every(({ headers }) => String(headers['webhook-signature']).startsWith('v1,'))).toBe(
      true,
    )
  },
)

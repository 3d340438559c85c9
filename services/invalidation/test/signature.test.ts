/** The lines that docs/webhooks.md gives to receivers, run against what is sent. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sign } from '../src/webhooks/signature.js'

type Verify = (headers: object, body: string, secret: string, nowSeconds: number) => boolean

const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8')
const code = /```js\n(.*?)```/s.exec(page)![1]!
const { isGenuine } = (await import(
  /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`
)) as { isGenuine: Verify }

const [key, old, other] = [7, 8, 9].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const text = (secret: Buffer): string => `whsec_${secret.toString('base64')}`
const body = '{"type":"tidemark.changes"}'
const now = 1_800_000_000
const headers = sign([key, old], 'orders-1-2-3', now * 1_000, body)

test('what was signed is genuine, by either secret while they are changed', () => {
  expect(isGenuine(headers, body, text(key), now)).toBe(true)
  expect(isGenuine(headers, body, text(old), now)).toBe(true)
})

test.each([
  ['a changed body', headers, `${body} `, key, now],
  ['another id', { ...headers, 'webhook-id': 'orders-1-2-4' }, body, key, now],
  ['another time', { ...headers, 'webhook-timestamp': String(now + 1) }, body, key, now],
  ['another secret', headers, body, other, now],
  ['no signature', { ...headers, 'webhook-signature': '' }, body, key, now],
  ['an old request, sent again', headers, body, key, now + 600],
])('%s is not', (_, given, what, secret, at) => {
  expect(isGenuine(given, what, text(secret), at)).toBe(false)
})

test('it is what the libraries of Standard Webhooks expect', () => {
  // The example of their own tests: https://github.com/standard-webhooks/standard-webhooks
  const example = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  const signed = sign([example], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}')
  expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createServer, createLogger, type ProblemDocument } from '../src/index.js'
import { gate, raw, serving, until } from './serving.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** One route that waits until it is told to answer. */
async function slow(options = {}) {
  const answer = gate()
  const service = await serving((api) => {
    api.route({
      method: 'get',
      path: '/slow',
      summary: 'Waits',
      responses: { 200: { description: 'Done' } },
      handler: async (_input, { res }) => {
        await answer.opened
        res.json({ done: true })
      },
    })
  }, options)
  closing.push(answer.open, () => service[Symbol.asyncDispose]())
  return { ...service, answer }
}

test('draining finishes what is in flight, says Connection: close, and refuses new connections', async () => {
  const { http, url, port, answer } = await slow()
  const agent = new Agent({ keepAlive: true })
  const sent = request(`${url}/slow`, { agent }).end()
  await until(() => http.inFlight === 1)
  const idle = connect(port, '127.0.0.1')
  await once(idle, 'connect')
  await until(() => http.server.listening)

  const drained = http.drain()
  await expect(fetch(`${url}/livez`)).rejects.toThrow()
  await once(idle, 'close')
  answer.open()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  expect(response.statusCode).toBe(200)
  expect(response.headers.connection).toBe('close')
  expect(Buffer.concat((await response.toArray()) as Buffer[]).toString()).toBe('{"done":true}')
  await drained
  expect(http.inFlight).toBe(0)
})

test('a request on a kept connection while draining is answered with Connection: close, also by the fast path', async () => {
  const first = (req: { url?: string }, res: import('node:http').ServerResponse) => {
    if (req.url !== '/hit') return false
    res.writeHead(200, ['Content-Length', '3'])
    res.end('hit')
    return true
  }
  const { http, port, answer } = await slow({ first })
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.write('GET /hit HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => text.endsWith('hit'))
  expect(text).toContain('Connection: keep-alive')

  text = ''
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => http.inFlight === 1)
  const other = connect(port, '127.0.0.1')
  let otherText = ''
  other.setEncoding('utf8').on('data', (chunk: string) => (otherText += chunk))
  other.write('GET /hit HTTP/1.1\r\nHost: x\r\n') // not complete yet: neither idle nor in flight
  await until(() => other.bytesWritten > 0 && http.server.listening)
  await fetch(`http://127.0.0.1:${String(port)}/livez`)
  const drained = http.drain()
  other.write('\r\n')
  await until(() => otherText.endsWith('hit'))
  expect(otherText).toContain('Connection: close')
  answer.open()
  await drained
  await until(() => text.includes('Connection: close'))
})

test('a request that never ends is cut when the time for draining is over', async () => {
  const { http, url } = await slow()
  const cut = fetch(`${url}/slow`).catch((error: unknown) => error)
  await until(() => http.inFlight === 1)
  await http.drain(AbortSignal.timeout(50))
  expect(await cut).toBeInstanceOf(Error)
})

test('beyond the bound of requests in flight the answer is 503 with Retry-After, and it recovers', async () => {
  const { http, url, answer, lines } = await slow({ maxInFlight: 2 })
  const held = [fetch(`${url}/slow`), fetch(`${url}/slow`)]
  await until(() => http.inFlight === 2)
  const refused = await fetch(`${url}/livez`)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(((await refused.json()) as ProblemDocument).type).toBe('/problems/overloaded')
  await fetch(`${url}/livez`)
  expect(lines.filter(({ msg }) => msg.includes('too many requests'))).toHaveLength(1)
  answer.open()
  await Promise.all(held)
  await until(() => http.inFlight === 0)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
})

test('the fast path answers ahead of the app; what it leaves goes to the app; what it throws is a 500', async () => {
  const { url, lines, metrics } = await slow({
    first: (req: { url?: string }, res: import('node:http').ServerResponse) => {
      if (req.url === '/broken') throw new Error('secret reason')
      if (req.url !== '/hit') return false
      res.end('hit')
      return true
    },
  })
  const hits = metrics.requestSeries({ method: 'GET', route: '/hit', status: 200 })
  hits.observe(0.000_02)
  expect(await (await fetch(`${url}/hit`)).text()).toBe('hit')
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  const broken = await fetch(`${url}/broken`)
  expect(broken.status).toBe(500)
  expect(await broken.text()).not.toContain('secret reason')
  expect(lines.some(({ level, msg }) => level === 'error' && msg.includes('secret reason'))).toBe(true)
})

test('garbage behind a request in flight cuts the connection instead of answering out of turn', async () => {
  const { port, http } = await slow()
  const answer = raw(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n')
  expect(await answer).toBe('')
  await until(() => http.inFlight === 0)
})

test('a port that is taken is said so, with what to do', async () => {
  const { port, http } = await slow()
  const logger = createLogger({ name: 'test', level: 'silent' })
  const second = createServer({ app: (_req, res) => res.end(), logger })
  await expect(second.listen({ port, host: '127.0.0.1' })).rejects.toMatchObject({
    code: 'address_unavailable',
    message: `port ${String(port)} on 127.0.0.1 is taken by another program: stop it or set PORT to a free one`,
  })
  expect(http.server.listening).toBe(true)
})

import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger, parseTraceparent, redactText, type HealthReport } from '../src/index.js'
import { declareProducts, serving, until } from './serving.js'

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
let isWell = true
let service: Awaited<ReturnType<typeof serving>>

beforeAll(async () => {
  service = await serving(declareProducts, {
    checks: [
      {
        name: 'postgres',
        check: () => (isWell ? undefined : Promise.reject(new Error('no route to db:5432'))),
      },
      { name: 'redis', check: () => new Promise(() => undefined), timeoutMs: 30, isRequired: false },
    ],
  })
})
afterAll(() => service[Symbol.asyncDispose]())

test('a valid traceparent is parsed', () => {
  expect(parseTraceparent(TRACE)).toEqual({
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    parentId: '00f067aa0ba902b7',
    isSampled: true,
    traceparent: TRACE,
  })
  expect(parseTraceparent(TRACE.replace(/^00/, 'cc') + '-more')?.isSampled).toBe(true)
})

test.each([
  undefined,
  '',
  TRACE.toUpperCase(),
  TRACE.replace(/^00/, 'ff'),
  `${TRACE}-more`,
  TRACE.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
  TRACE.replace('00f067aa0ba902b7', '0'.repeat(16)),
  TRACE.slice(1),
])('the traceparent %s is not valid and is ignored', (header) => {
  expect(parseTraceparent(header)).toBeUndefined()
})

test('one log line per request ties id, trace, route pattern and status together', async () => {
  const headers = { traceparent: TRACE, 'x-request-id': 'call-1' }
  const response = await fetch(`${service.url}/v1/products/42?secret=x`, { headers })
  expect(response.headers.get('x-request-id')).toBe('call-1')
  expect(await response.json()).toMatchObject({ trace: '4bf92f3577b34da6a3ce929d0e0e4736' })
  await until(() => service.lines.some((line) => line.request_id === 'call-1'))
  const lines = service.lines.filter((line) => line.request_id === 'call-1')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({
    level: 'info',
    service: 'test',
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    method: 'GET',
    route: '/v1/{resource}/{id}',
    status: 200,
  })
  expect(lines[0]?.duration_ms).toBeGreaterThan(0)
})

test('a request id that could forge a log line or a header is replaced', async () => {
  const response = await fetch(`${service.url}/livez`, { headers: { 'x-request-id': 'a b' } })
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('client mistakes are logged as warnings, our faults as errors, probes for debugging only', async () => {
  await fetch(`${service.url}/nothing`, { headers: { 'x-request-id': 'warn-1' } })
  await fetch(`${service.url}/livez`, { headers: { 'x-request-id': 'probe-1' } })
  const levelOf = (id: string) => service.lines.find((line) => line.request_id === id)?.level
  await until(() => levelOf('warn-1') !== undefined && levelOf('probe-1') !== undefined)
  expect([levelOf('warn-1'), levelOf('probe-1')]).toEqual(['warn', 'debug'])
})

test('secrets leave no line: headers by name, URL passwords in any text', () => {
  let text = ''
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      done()
    },
  })
  const logger = createLogger({ name: 'x', level: 'info', destination })
  const cause = new Error('refused by redis://:hunter1@h:1/0')
  logger.error(
    {
      err: new Error('cannot reach postgres://me:hunter2@h/d', { cause }),
      headers: {
        authorization: 'Bearer hunter3',
        cookie: 'hunter4',
        'set-cookie': 'hunter5',
        accept: 'json',
      },
      req: { headers: { authorization: 'hunter6' } },
    },
    'https://u:hunter7@h/?token=hunter8&x=1',
  )
  expect(text).not.toContain('hunter')
  expect(JSON.parse(text)).toMatchObject({ level: 'error', service: 'x', headers: { accept: 'json' } })
  expect(redactText('no secret here: 10:30 a@b.c')).toBe('no secret here: 10:30 a@b.c')
})

const readyz = async () => {
  const response = await fetch(`${service.url}/readyz`)
  return { status: response.status, body: (await response.json()) as HealthReport }
}

test('readiness names each check; an optional one that hangs is bounded and only degrades', async () => {
  const { status, body } = await readyz()
  expect(status).toBe(200)
  expect(body.status).toBe('degraded')
  expect(body.checks.postgres).toMatchObject({ status: 'ok', required: true })
  expect(body.checks.redis).toMatchObject({ status: 'timed-out', required: false })
})

test('a required check that fails makes the service not ready; the reason is logged, not shown', async () => {
  isWell = false
  const { status, body } = await readyz()
  isWell = true
  expect([status, body.status, body.checks.postgres?.status]).toEqual([503, 'not-ready', 'failed'])
  expect(JSON.stringify(body)).not.toContain('db:5432')
  expect(service.lines).toContainEqual(
    expect.objectContaining({ check: 'postgres', reason: 'no route to db:5432' }),
  )
  expect((await readyz()).status).toBe(200)
})

test('metrics: durations by route pattern, the fast path in the same histogram, integers read when scraped', async () => {
  let hits = 5
  service.metrics.counter({
    name: 'tidemark_hits_total',
    help: 'Hits.',
    labelNames: ['layer'],
    read: () => [{ labels: { layer: 'l1' }, value: hits }],
  })
  const series = service.metrics.requestSeries({ method: 'GET', route: '/hit', status: 200 })
  series.observe(0.000_05)
  series.observe(3)
  hits = 7
  await fetch(`${service.url}/v1/products/1`)
  await fetch(`${service.url}/v1/products/2`)
  const counted =
    /http_server_request_duration_seconds_count\{http_request_method="GET",http_response_status_code="200",http_route="\/v1\/{resource}\/{id}"[^}]*\} (\d+)/
  const scrape = async () => (await fetch(`${service.url}/metrics`)).text()
  let text = await scrape()
  for (let turn = 0; turn < 50 && Number(counted.exec(text)?.[1] ?? 0) < 3; turn++) text = await scrape()
  expect(Number(counted.exec(text)?.[1])).toBe(3)
  const hit = (le: string) =>
    new RegExp(`_bucket\\{[^}]*http_route="/hit"[^}]*le="${le}"[^}]*\\} (\\d+)`).exec(text)?.[1]
  expect([hit('0.0001'), hit('2.5'), hit('5'), hit('\\+Inf')]).toEqual(['1', '1', '2', '2'])
  expect(text).toContain('tidemark_hits_total{layer="l1",service="test"} 7')
  expect(text).toContain('process_cpu_seconds_total')
  expect(text).toContain('http_server_active_requests{service="test"} 1')
  expect(text).not.toMatch(/products\/[12]/)
})

test('draining turns readiness off while liveness stays', async () => {
  service.readiness.drain()
  service.readiness.ready()
  expect(await readyz()).toEqual({ status: 503, body: { status: 'draining', checks: {} } })
  expect((await fetch(`${service.url}/livez`)).status).toBe(200)
})

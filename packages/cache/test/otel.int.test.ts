import { AsyncLocalStorage } from 'node:async_hooks'

import type { Context, ContextManager } from '@opentelemetry/api'
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { eventually, redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { measureCaches, traceCaches } from '../src/otel/index.js'
import { HandLog } from '../src/testing/index.js'
import { connect } from './real-redis.js'

/** As that of the Node SDK, which is not installed here. */
class AsyncContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT
  with: ContextManager['with'] = (active, run, self, ...args) =>
    this.#storage.run(active, () => run.call(self as ThisParameterType<typeof run>, ...args))
  bind: ContextManager['bind'] = (_active, target) => target
  enable = () => this
  disable = () => this
}

const space = redisSpace()
let redis: Redis
const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = tracerProvider.getTracer('test')
let stop: () => void

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncContext())
  redis = await connect(space.url)
})
afterAll(async () => {
  context.disable()
  redis.disconnect()
  await tracerProvider.shutdown()
})
beforeEach(() => {
  exporter.reset()
  stop = traceCaches({ tracerProvider })
})
afterEach(() => {
  stop()
})

let caches = 0
const cacheOf = (policy = {}) =>
  createCache({
    follow: new HandLog().follow(),
    redis,
    prefix: space.prefix,
    namespace: `otel${++caches}`,
    policy,
  })

const spansOf = (namespace: string) =>
  exporter.getFinishedSpans().filter(({ attributes }) => attributes['tidemark.cache.namespace'] === namespace)

test('a load is a span between the request and what the loader does', async () => {
  const cache = cacheOf({ kind: 'products' })
  await tracer.startActiveSpan('request', async (request) => {
    await cache.getOrSet({
      key: 'k',
      load: async () => {
        await Promise.resolve()
        tracer.startSpan('query').end()
        return 1
      },
    })
    request.end()
  })
  const byName = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]))
  const [request, load, query] = ['request', 'load products', 'query'].map((name) => byName.get(name)!)
  expect(query!.parentSpanContext?.spanId).toBe(load!.spanContext().spanId)
  expect(load!.parentSpanContext?.spanId).toBe(request!.spanContext().spanId)
  expect(load!.attributes).toEqual({
    'tidemark.cache.namespace': cache.namespace,
    'tidemark.cache.kind': 'products',
    'tidemark.cache.key_count': 1,
  })
  expect(trace.getSpan(context.active())).toBeUndefined()
})

test('each call of Redis is a span of a database client', async () => {
  const cache = cacheOf()
  await cache.getOrSet({ key: 'k', load: () => 1 })
  await eventually(() => spansOf(cache.namespace).length === 4)
  const calls = spansOf(cache.namespace).filter(({ attributes }) => 'db.system.name' in attributes)
  expect(calls.map(({ attributes }) => attributes['db.operation.name'])).toEqual(['MGET', 'SET', 'EVALSHA'])
  expect(calls.every(({ attributes }) => attributes['db.system.name'] === 'redis')).toBe(true)
  expect(JSON.stringify(calls.map(({ attributes }) => attributes))).not.toContain('"k"')
})

test('a load that fails makes a span that says so', async () => {
  const cache = cacheOf()
  const load = () => Promise.reject(new TypeError('down'))
  await expect(cache.getOrSet({ key: 'k', load })).rejects.toThrow('down')
  const span = spansOf(cache.namespace).find(({ name }) => name.startsWith('load'))
  expect(span!.status.code).toBe(SpanStatusCode.ERROR)
  expect(span!.attributes['error.type']).toBe('TypeError')
  expect(span!.events[0]!.name).toBe('exception')
})

test('keys are named where that is asked for, and nothing is traced once it is stopped', async () => {
  const cache = cacheOf()
  stop()
  const stopNaming = traceCaches({ tracerProvider, recordKeys: true })
  await cache.getOrSet({ key: 'named', load: () => 1 })
  expect(spansOf(cache.namespace)[0]!.attributes['tidemark.cache.keys']).toEqual(['named'])
  await eventually(() => spansOf(cache.namespace).length === 4)
  stopNaming()
  await cache.getOrSet({ key: 'other', load: () => 1 })
  expect(spansOf(cache.namespace)).toHaveLength(4)
})

test('counters and durations are measured, by namespace and never by key', async () => {
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const cache = cacheOf()
  const stopMeasuring = measureCaches([cache], { meterProvider })
  await cache.getOrSet({ key: 'secret', load: () => 1 })
  await cache.getOrSet({ key: 'secret', load: () => 1 })
  await meterProvider.forceFlush()
  const found = metrics.getMetrics()[0]!.scopeMetrics[0]!.metrics
  const points = (name: string) => found.find(({ descriptor }) => descriptor.name === name)!.dataPoints
  const namespace = { 'tidemark.cache.namespace': cache.namespace }
  expect(points('tidemark.cache.answers')).toContainEqual(
    expect.objectContaining({ attributes: { ...namespace, 'tidemark.cache.layer': 'l1' }, value: 1 }),
  )
  expect(points('tidemark.cache.l1.entries')[0]!.value).toBe(1)
  expect(points('tidemark.cache.load.duration')[0]!.value).toMatchObject({ count: 1 })
  expect(
    points('tidemark.cache.redis.duration').map(({ attributes }) => attributes['db.operation.name']),
  ).toContain('MGET')
  expect(JSON.stringify(found)).not.toContain('secret')
  stopMeasuring()
  await meterProvider.shutdown()
})

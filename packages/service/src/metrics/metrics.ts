import { Router } from 'express'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { contextOf } from '../logging/request-context.js'
import { methodNotAllowed } from '../problems/method-not-allowed.js'
import { createRequestDurations, type DurationSeries, type RequestLabels } from './request-durations.js'

/** Values read when scraped: one number, or one per set of labels. */
type Readings = number | readonly { labels: Readonly<Record<string, string>>; value: number }[]

/** Upper bounds in seconds for what takes milliseconds, and minutes when something is wrong. */
export const lagBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60] as const

export interface Metrics {
  /** For metrics of prom-client's own kinds. */
  readonly registry: Registry
  /** `GET /metrics`. */
  readonly router: Router
  observeRequest(labels: RequestLabels, seconds: number): void
  /** The series behind `observeRequest`, looked up once: for the path that answers ahead of the app. */
  requestSeries(labels: RequestLabels): DurationSeries
  /** A counter kept elsewhere as a plain integer that only rises; read when scraped. */
  counter(options: ReadMetric): void
  /** A present value; read when scraped, within a deadline of the reader's own. */
  gauge(options: ReadMetric<Readings | Promise<Readings>>): void
  /** A distribution; gives what takes an observation. `buckets` are upper bounds, rising. */
  histogram(options: { name: string; help: string; buckets: readonly number[] }): (value: number) => void
}

export interface ReadMetric<R = Readings> {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
  readonly read: () => R
}

/** A registry of its own for each service, with the process's metrics (`process_*`, `nodejs_*`). */
export function createMetrics({ service }: { service: string }): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry })
  const durations = createRequestDurations()
  registry.registerMetric(durations.metric)

  const router = Router()
  router.get('/metrics', async (req, res) => {
    contextOf(req).route = '/metrics'
    const text = await registry.metrics()
    res.set('Content-Type', registry.contentType).set('Cache-Control', 'no-store').send(text)
  })
  router.all('/metrics', methodNotAllowed('/metrics', ['GET']))

  return {
    registry,
    router,
    observeRequest: (labels, seconds) => {
      durations.series(labels).observe(seconds)
    },
    requestSeries: durations.series,
    counter: ({ read, ...options }) => {
      new Counter({
        ...options,
        registers: [registry],
        collect() {
          this.reset()
          for (const { labels, value } of listed(read())) this.inc(labels, value)
        },
      })
    },
    histogram: ({ buckets, ...options }) => {
      const histogram = new Histogram({ ...options, buckets: [...buckets], registers: [registry] })
      return (value) => {
        histogram.observe(value)
      }
    },
    gauge: ({ read, ...options }) => {
      new Gauge({
        ...options,
        registers: [registry],
        async collect() {
          const readings = listed(await read())
          this.reset()
          for (const { labels, value } of readings) this.set(labels, value)
        },
      })
    },
  }
}

function listed(readings: Readings) {
  return typeof readings === 'number' ? [{ labels: {}, value: readings }] : readings
}

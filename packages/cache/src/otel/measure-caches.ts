import type { MeterProvider, ObservableResult } from '@opentelemetry/api'
import { metrics } from '@opentelemetry/api'

import { observeDurations } from '../events/durations.js'
import type { Measured, Series } from '../events/series.js'
import { allSeries } from '../events/series.js'
import { attributes, operations, scope } from './names.js'

export interface MeasureOptions {
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider
}

/**
 * The counters of `caches` as observable instruments, and histograms of what loads and calls of Redis take. Gives the function
 * that ends it.
 *
 * @example const stop = measureCaches([products, baskets])
 */
export function measureCaches(caches: readonly Measured[], options: MeasureOptions = {}): () => void {
  const meter = (options.meterProvider ?? metrics).getMeter(scope)
  const ends = allSeries.map((series) => {
    const about = { description: series.help, unit: series.unit === 'bytes' ? 'By' : '1' }
    const name = `${scope}.${series.name.replaceAll('_', '.')}`
    const instrument =
      series.type === 'counter'
        ? meter.createObservableCounter(name, about)
        : meter.createObservableUpDownCounter(name, about)
    const observe = (result: ObservableResult): void => {
      for (const cache of caches) observeSeries(result, series, cache)
    }
    instrument.addCallback(observe)
    return () => {
      instrument.removeCallback(observe)
    }
  })
  const loads = meter.createHistogram(`${scope}.load.duration`, {
    description: 'What loads took, their wait for a turn included.',
    unit: 's',
  })
  const calls = meter.createHistogram(`${scope}.redis.duration`, {
    description: 'What calls of Redis took, as their callers see it.',
    unit: 's',
  })
  const namespaces = new Set(caches.map(({ namespace }) => namespace))
  const end = observeDurations({
    load(namespace, result, seconds) {
      if (namespaces.has(namespace))
        loads.record(seconds, { [attributes.namespace]: namespace, [attributes.result]: result })
    },
    redis(namespace, call, seconds) {
      if (namespaces.has(namespace))
        calls.record(seconds, {
          [attributes.namespace]: namespace,
          [attributes.system]: 'redis',
          [attributes.operation]: operations[call],
        })
    },
  })
  return () => {
    end()
    for (const endOne of ends) endOne()
  }
}

function observeSeries(result: ObservableResult, { read }: Series, cache: Measured): void {
  for (const { labels, value } of read(cache.stats())) {
    const named = Object.entries(labels).map(([label, word]) => [`${scope}.${label}`, word] as const)
    result.observe(value, { [attributes.namespace]: cache.namespace, ...Object.fromEntries(named) })
  }
}

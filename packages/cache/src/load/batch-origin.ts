import type { ReadManyRequest } from '../request.js'
import { TickBatch } from '../tick-batch.js'
import type { Flight } from './flight.js'
import type { Origin, OriginParts } from './origin.js'
import { askOrigin } from './origin.js'

interface Wanted<T> {
  readonly key: string
  readonly flight: Flight<T>
  readonly resolve: (value: T | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * The loader of one call for many keys. Each key flies on its own, with its own look-up, lease and fence; the keys whose
 * flights come to the origin in the same turn are loaded together. A key that another process was loading comes later,
 * with those that came free at the same time.
 */
export function batchOrigin<T>(
  parts: OriginParts,
  load: ReadManyRequest<T>['load'],
  maxKeys: number,
): Origin<T> {
  const batch = new TickBatch<Wanted<T>>((wanted) => void loadTogether(wanted), maxKeys)

  async function loadTogether(wanted: readonly Wanted<T>[]): Promise<void> {
    const flights = wanted.map(({ flight }) => flight)
    const deadlineMs = Math.min(...flights.map((flight) => flight.deadlineMs))
    try {
      const keys = wanted.map(({ key }) => key)
      const values = await askOrigin(parts, keys, flights, deadlineMs, (context) => load(keys, context))
      for (const { key, resolve } of wanted) resolve(values.get(key))
    } catch (error) {
      for (const { reject } of wanted) reject(error)
    }
  }

  return {
    isShared: true,
    load: (key, flight) =>
      new Promise((resolve, reject) => {
        batch.add({ key, flight, resolve, reject })
      }),
  }
}

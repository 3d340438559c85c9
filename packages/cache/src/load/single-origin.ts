import type { LoadContext } from '../request.js'
import { DirectedLoad } from './directions.js'
import type { Flight } from './flight.js'
import type { Origin, OriginParts } from './origin.js'
import { askOrigin } from './origin.js'

/** The loader of one call for one key. */
export const singleOrigin = <T>(
  parts: OriginParts,
  load: (context: LoadContext) => T | undefined | Promise<T | undefined>,
): Origin<T> => ({
  load: (key, flight: Flight<T>) =>
    askOrigin<T | undefined>(parts, [key], [flight as Flight], flight.deadlineMs, (context) => {
      const directed = new DirectedLoad(context, () => parts.previous(key, flight as Flight))
      flight.directions = directed
      return load(directed)
    }),
})

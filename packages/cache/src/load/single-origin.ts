import type { LoadContext } from '../request.js'
import type { Flight } from './flight.js'
import type { Origin, OriginParts } from './origin.js'
import { askOrigin } from './origin.js'

/** The loader of one call for one key. */
export const singleOrigin = <T>(
  parts: OriginParts,
  load: (context: LoadContext) => T | undefined | Promise<T | undefined>,
): Origin<T> => ({
  load: (_key, flight: Flight<T>) => askOrigin<T | undefined>(parts, [flight], flight.deadlineMs, load),
})

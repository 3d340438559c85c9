import type { TagPlaces } from '@tidemark/tide'

import { Entry } from '../../src/entry.js'
import type { EntryParts } from '../../src/entry.js'
import { defaultPolicy } from '../../src/policy.js'

/** An entry of which nothing matters but what is given. */
export const entryOf = <T>(parts: Partial<EntryParts<T>> & { value: T }): Entry<T> =>
  new Entry<T>({
    stamp: undefined,
    tags: [],
    places: '' as TagPlaces,
    loadedAtMs: 0,
    expiresAtMs: 0,
    staleUntilMs: 0,
    earliestMs: 0,
    seenAtMs: 0,
    loadCostMs: 0,
    validator: undefined,
    sizeBytes: 1,
    policy: defaultPolicy,
    ...parts,
  })

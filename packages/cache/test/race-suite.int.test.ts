import { spawnChild } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, it } from 'vitest'

import { describeRaces, raceSuite } from '../src/testing/index.js'
import type { Race } from '../src/testing/index.js'
import { ourAdapter } from './race/our-adapter.js'
import { places } from './race/places.js'
import type { Place } from './race/places.js'

const fork = () => spawnChild(new URL('./race/our.child.ts', import.meta.url))

/** Ours offers everything: a race that was not run is not passed. */
const toTheEnd = (race: Race): Race => ({
  ...race,
  async run() {
    const verdict = await race.run()
    return 'skipped' in verdict ? { passed: false, saw: `not run: ${verdict.skipped}` } : verdict
  },
})

describe.each(Object.keys(places))('on %s', (name) => {
  let place: Place
  beforeAll(async () => {
    place = await places[name]!()
  })
  afterAll(() => place.remove())

  const faults = {
    route: () => place.faults.route(),
    remember: (text: string) => place.faults.remember(text),
    refuseWrites: () => place.faults.refuseWrites(),
  }
  describeRaces({ describe, it }, name, raceSuite(ourAdapter(), { faults, fork }).map(toTheEnd))
})

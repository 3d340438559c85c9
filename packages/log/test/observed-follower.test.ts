import { Follower, TideTable } from '@tidemark/tide'
import { expect, test } from 'vitest'

import { systemClock } from '../src/index.js'
import { ObservedFollower } from '../src/follow/observed-follower.js'

test('a stop ends the waits that there are, and those of calls that were between two waits', async () => {
  const follower = new Follower(new TideTable({ buckets: 1, seed: 1 }))
  const observed = new ObservedFollower(follower, systemClock, () => undefined)
  const first = observed.waitFor({ term: 1, position: 1 }, 3_600_000)
  observed.release()
  expect(await first).toBeUndefined()
  expect(await observed.waitFor({ term: 1, position: 1 }, 3_600_000)).toBeUndefined()
})

import { redisSpace } from '@tidemark/testkit'
import { expect, test } from 'vitest'

import { redisAt } from './fixture/log-fixture.js'
import { live } from './redis-only/world.js'
import type { Tally } from './redis-only/world.js'
import { seededRandom } from './seeded-random.js'

const firstSeed = Number(process.env['SEED'] ?? 1)
const seeds = Number(process.env['SEEDS'] ?? (process.env['SEED'] === undefined ? 60 : 1))
const steps = 200

test('what a proven follower calls afloat holds every invalidation that was acknowledged before its proof, and an ask makes it present, under failovers, lost tails, isolated masters, flushes and evictions', async () => {
  const { url, prefix } = redisSpace()
  const redis = redisAt(url)
  const tally: Tally = new Map()
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    try {
      await live(redis, `${prefix}-${seed}`, seededRandom(seed), steps, tally)
    } catch (cause) {
      throw new Error(`seed ${seed} (again: SEED=${seed} vitest run --project sim packages/log)`, { cause })
    }
  }
  if (seeds < 50) return
  // A world where nothing is served proves nothing.
  for (const what of ['afloat', 'sunk', 'read', 'fail over', 'demote', 'crash', 'flush'])
    expect(tally.get(what) ?? 0, what).toBeGreaterThan(seeds)
})

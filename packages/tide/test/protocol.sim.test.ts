import { expect, test } from 'vitest'
import type { Tally } from './protocol/world.js'
import { live } from './protocol/world.js'

const firstSeed = Number(process.env['SEED'] ?? 1)
const seeds = Number(process.env['SEEDS'] ?? (process.env['SEED'] === undefined ? 3000 : 1))
const ticks = 400

test(
  'what a follower calls afloat is the origin as of what it applied, or newer, and holds all that it has proof of, ' +
    'under lost, repeated, reordered and trimmed messages, an L2 that resurrects, failovers of Redis, lost history',
  () => {
    const tally: Tally = new Map()
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        live(seed, ticks, tally)
      } catch (cause) {
        throw new Error(`seed ${seed} (again: SEED=${seed} vitest run --project sim packages/tide)`, {
          cause,
        })
      }
    }
    if (seeds < 1000) return
    // A world where nothing is served proves nothing.
    const enough = [
      ...(['applied', 'repeated', 'rebased', 'adopted', 'ignored'] as const),
      ...(['afloat', 'unproven', 'sunk', 'afloat in a later term'] as const),
    ]
    for (const what of enough) expect(tally.get(what) ?? 0, what).toBeGreaterThan(seeds / 10)
  },
  60_000,
)

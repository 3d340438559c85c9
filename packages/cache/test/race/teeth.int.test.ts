/** The suite catches what it is made for: a careless cache loses every race, each through the carelessness it is about. */

import { ownRedis, raceFaults, spawnChild } from '@tidemark/testkit'
import type { OwnServer } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { raceSuite } from '../../src/testing/index.js'
import type { Race } from '../../src/testing/index.js'
import { naive } from './naive-cache.js'
import type { NaiveOptions } from './naive-cache.js'

let redis: OwnServer
beforeAll(async () => {
  redis = await ownRedis()
})
afterAll(() => redis.remove())

const races = (options: NaiveOptions, inChild: NaiveOptions = options): readonly Race[] =>
  raceSuite(naive(options), {
    faults: raceFaults([redis.url]),
    fork: () => spawnChild(new URL('./naive.child.ts', import.meta.url), { args: [JSON.stringify(inChild)] }),
  })

const raceOf = (id: string, options: NaiveOptions, inChild?: NaiveOptions): Race =>
  races(options, inChild).find((race) => race.id === id)!

/** What to be careless in, where plain carelessness does not do it, and what is seen then. */
const losing: Record<string, { options?: NaiveOptions; inChild?: NaiveOptions; saw: RegExp }> = {
  heard: { options: { isDeaf: true }, saw: /^other node: v1$/ },
  'late-fill': { saw: /^same node: v1$/ },
  'late-fill-redis': { saw: /^other node: v1$/ },
  'late-fill-over-put': { saw: /^same node: v1$/ },
  'join-old-load': { options: { sharesLoads: true }, saw: /^waited for the old load and got v1$/ },
  'tag-during-load': { saw: /^same node: v1$/ },
  'many-fenced': { saw: /^v1$/ },
  'lost-message': { saw: /^v1, 5 s after/ },
  redelivered: { options: { shipsValues: true }, saw: /^other node: v1$/ },
  'clear-everywhere': { saw: /^other node: v1$/ },
  'refill-ttl': { saw: /^v1, past its ttl$/ },
  'refill-late': { saw: /^v1$/ },
  resurrected: { saw: /^another node: v1$/ },
  'invalidate-cut': { saw: /v1, though it reported success$/ },
  'invalidate-hung': { saw: /v1, though it reported success$/ },
  'invalidate-refused': { saw: /v1, though it reported success$/ },
  'stampede-process': { saw: /^500 origin calls$/ },
  'stampede-processes': { options: { sharesLoads: true }, saw: /^2 origin calls$/ },
  'dead-leader': { options: { locks: true, sharesLoads: true }, saw: /^not served within 10 s$/ },
  'hung-redis': { saw: /^no answer within 3 s$/ },
  'killed-subscriber': {
    inChild: { hasHeartbeat: true },
    saw: /^the process ended with 1: MaxRetriesPerRequestError/,
  },
  'empty-values': { saw: /^null loaded again .* 0 loaded again .* "" loaded again .* false loaded again/ },
}

test('every race has a cache that loses it', () => {
  expect(races({}).map(({ id }) => id)).toEqual(Object.keys(losing))
})

test.each(Object.entries(losing))(
  '%s is lost by a careless cache',
  async (id, { options = {}, inChild, saw }) => {
    expect(await raceOf(id, options, inChild).run()).toEqual({
      passed: false,
      saw: expect.stringMatching(saw) as string,
    })
  },
)

test('what a library does not offer is neither passed nor failed', async () => {
  const bare = { ...naive(), offers: ['redis'] as const }
  const race = raceSuite(bare, { faults: raceFaults([redis.url]) }).find(({ id }) => id === 'lost-message')!
  expect(await race.run()).toEqual({ skipped: 'no memory, bus' })
})

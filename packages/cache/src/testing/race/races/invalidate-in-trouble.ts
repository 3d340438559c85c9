import { late, pause, settles, within } from '../patience.js'
import type { RaceScript } from '../race.js'
import type { RaceNode, Scene } from '../scene.js'
import type { Verdict } from '../verdict.js'
import { broken, kept } from '../verdict.js'

const key = 'product:1'
const troubleMs = 500
const retryForMs = 5_000
const settledMs = 3_000

/**
 * Invalidates while there is trouble. A call that says that it failed is repeated, as its caller would; one that says
 * nothing is taken at its word.
 */
async function invalidate(node: RaceNode, heal: () => Promise<void>): Promise<string> {
  const giveUpAt = performance.now() + troubleMs + retryForMs
  const attempt = (): Promise<string> =>
    node.cache.invalidateKey(key).then(
      (result) => (result === false ? 'it failed' : 'it reported success'),
      () => 'it failed',
    )
  const first = attempt()
  await within(troubleMs, first)
  await heal()
  let outcome = await within(retryForMs, first)
  if (outcome === 'it reported success') return outcome
  while (outcome !== 'it reported success' && performance.now() < giveUpAt) {
    await pause(50)
    outcome = await within(retryForMs, attempt())
  }
  return outcome === late ? 'it never ended' : `${outcome} when repeated`
}

async function play(
  scene: Scene,
  trouble: (node: RaceNode) => Promise<() => Promise<void>>,
): Promise<Verdict> {
  const [a, b] = [await scene.node('a'), await scene.node('b')]
  await a.ask(key)
  await pause(100)
  const heal = await trouble(a)
  const wanted = scene.origin.write(key)
  const outcome = await invalidate(a, heal)
  for (const [who, node] of Object.entries({ 'other node': b, 'same node': a })) {
    const { isRight, saw } = await settles(() => node.ask(key), wanted, settledMs)
    if (!isRight) return broken(`${who}: ${saw}, though ${outcome}`)
  }
  return kept(`${wanted}; ${outcome}`)
}

const law = 'An invalidation that cannot be made says so or is made up for; the old value does not come back.'

export const invalidateCut: RaceScript = {
  id: 'invalidate-cut',
  title: 'Invalidation while the connection to Redis is cut',
  law,
  needs: ['redis'],
  play: (scene) =>
    play(scene, async ({ route }) => {
      await route.cut()
      return () => route.heal()
    }),
}

export const invalidateHung: RaceScript = {
  id: 'invalidate-hung',
  title: 'Invalidation while Redis hangs, before its connections break',
  law,
  needs: ['redis'],
  play: (scene) =>
    play(scene, ({ route }) => {
      route.hang()
      return Promise.resolve(async () => {
        // What it took and did not do is lost.
        await route.cut()
        await route.heal()
      })
    }),
}

export const invalidateRefused: RaceScript = {
  id: 'invalidate-refused',
  title: 'Invalidation while Redis refuses writes, as a demoted primary does',
  law,
  needs: ['redis'],
  async play(scene) {
    const { refuseWrites } = scene.faults
    if (refuseWrites === undefined) return { skipped: 'the faults cannot make Redis refuse writes' }
    let allow: (() => Promise<void>) | undefined
    try {
      return await play(scene, async () => (allow = await refuseWrites()))
    } finally {
      await allow?.()
    }
  },
}

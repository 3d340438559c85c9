import { settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import type { RaceNode, Scene } from '../scene.js'
import type { Verdict } from '../verdict.js'
import { broken, kept } from '../verdict.js'

const key = 'product:1'

/** A load reads the origin, the origin is written and invalidated, and only then the load ends and is stored. */
async function fillLate(scene: Scene, node: RaceNode, announce: () => Promise<unknown>): Promise<void> {
  const held = scene.origin.held(key)
  const first = Promise.resolve(node.cache.getOrSet(key, held.load))
  await held.hasRead
  scene.origin.write(key)
  await announce()
  held.release()
  await first
}

async function judge(nodes: Readonly<Record<string, RaceNode>>, wanted: string): Promise<Verdict> {
  for (const [who, node] of Object.entries(nodes)) {
    const { isRight, saw } = await settles(() => node.ask(key), wanted)
    if (!isRight) return broken(`${who}: ${saw}`)
  }
  return kept(wanted)
}

const law =
  'What was read before a write is not served after its invalidation, though it was stored after it.'

export const lateFill: RaceScript = {
  id: 'late-fill',
  title: 'Late fill: a load begun before a write ends after its invalidation; the same node is asked',
  law,
  needs: [],
  async play(scene) {
    const a = await scene.node('a')
    await fillLate(scene, a, () => a.cache.invalidateKey(key))
    return judge({ 'same node': a }, scene.origin.now(key))
  },
}

export const lateFillRedis: RaceScript = {
  id: 'late-fill-redis',
  title: 'Late fill of Redis: the same, and another node reads what was stored',
  law,
  needs: ['redis'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    await fillLate(scene, a, () => b.cache.invalidateKey(key))
    return judge({ 'other node': b, 'loading node': a }, scene.origin.now(key))
  },
}

export const lateFillOverPut: RaceScript = {
  id: 'late-fill-over-put',
  title: 'Late fill over a stored value: a load begun before a `put` ends after it',
  law: 'A value that was put is not replaced by one that was read before.',
  needs: ['put'],
  async play(scene) {
    const a = await scene.node('a')
    await fillLate(scene, a, () => a.cache.put!(key, scene.origin.now(key)))
    return judge({ 'same node': a }, scene.origin.now(key))
  },
}

import { settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept } from '../verdict.js'

const key = 'product:1'

export const clearEverywhere: RaceScript = {
  id: 'clear-everywhere',
  title: 'One node clears the cache',
  law: 'No node serves what it held.',
  needs: ['memory', 'bus', 'clear'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    await a.ask(key)
    await b.ask(key)
    const wanted = scene.origin.write(key)
    await a.cache.clear!()
    for (const [who, node] of Object.entries({ 'other node': b, 'same node': a })) {
      const { isRight, saw } = await settles(() => node.ask(key), wanted)
      if (!isRight) return broken(`${who}: ${saw}`)
    }
    return kept(wanted)
  },
}

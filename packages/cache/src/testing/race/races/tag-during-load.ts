import { settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept } from '../verdict.js'

const key = 'product:1'
const tags = ['shelf']

export const tagDuringLoad: RaceScript = {
  id: 'tag-during-load',
  title: 'A tag is invalidated while a value that will carry it is being loaded',
  law: 'The value is not served after that.',
  needs: ['tags'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    const held = scene.origin.held(key)
    const first = Promise.resolve(a.cache.getOrSet(key, held.load, { tags }))
    await held.hasRead
    const wanted = scene.origin.write(key)
    await a.cache.invalidateTag!(tags[0]!)
    held.release()
    await first
    for (const [who, node] of Object.entries({ 'same node': a, 'other node': b })) {
      const { isRight, saw } = await settles(() => node.ask(key, { tags }), wanted)
      if (!isRight) return broken(`${who}: ${saw}`)
    }
    return kept(wanted)
  },
}

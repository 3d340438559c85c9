import { pause } from '../patience.js'
import type { RaceScript } from '../race.js'
import type { Verdict } from '../verdict.js'
import { broken, kept } from '../verdict.js'

const values = [null, 0, '', false]
const storedMs = 100
const unasked = 'loaded again'

export const emptyValues: RaceScript = {
  id: 'empty-values',
  title: "`null`, `0`, `''` and `false` are loaded",
  law: 'They are values: kept, given back as they were, and not loaded again, on another node either.',
  needs: [],
  async play(scene): Promise<Verdict> {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    const wrong: string[] = []
    for (const [i, value] of values.entries()) {
      const key = `value:${i}`
      const name = JSON.stringify(value)
      await a.cache.getOrSet(key, () => Promise.resolve(value))
      await pause(storedMs)
      for (const [who, { cache }] of Object.entries({ same: a, other: b })) {
        const again = await cache.getOrSet(key, () => Promise.resolve(unasked))
        if (again === unasked) wrong.push(`${name} loaded again (${who} node)`)
        else if (!Object.is(again, value))
          wrong.push(`${name} came back as ${JSON.stringify(again)} (${who} node)`)
        if (again === unasked) break
      }
    }
    return wrong.length > 0 ? broken(wrong.join(', ')) : kept('all four')
  },
}

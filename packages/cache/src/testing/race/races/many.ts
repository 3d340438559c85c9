import { gateway } from '../../gateway.js'
import { settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept } from '../verdict.js'

const keys = ['product:1', 'product:2'] as const
const [written, untouched] = keys

export const manyFenced: RaceScript = {
  id: 'many-fenced',
  title: 'One key of a `getMany` is written and invalidated while all of them are being loaded',
  law: 'That one is loaded again, and the others are not.',
  needs: ['many'],
  async play(scene) {
    const { cache } = await scene.node('a')
    const { origin } = scene
    const hasRead = gateway<undefined>()
    const released = gateway<undefined>()
    const readAll = (missing: readonly string[]) => new Map(missing.map((key) => [key, origin.read(key)]))
    const first = cache.getMany!(keys, async (missing) => {
      const read = readAll(missing)
      hasRead.open(undefined)
      await released.promise
      return read
    })
    await hasRead.promise
    const wanted = origin.write(written)
    await cache.invalidateKey(written)
    released.open(undefined)
    await first
    const ask = async () =>
      (await cache.getMany!(keys, (missing) => Promise.resolve(readAll(missing)))).get(written)
    const { isRight, saw } = await settles(ask, wanted)
    if (!isRight) return broken(saw)
    const loads = origin.calls(untouched)
    return loads === 1 ? kept(wanted) : broken(`the other key was loaded ${loads} times`)
  },
}

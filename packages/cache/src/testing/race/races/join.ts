import { late, pause, settleMs, within } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept } from '../verdict.js'

const key = 'product:1'
const askEveryMs = 50

/** Calls for one key share one load; a call that comes after the invalidation must not share one begun before. */
export const joinOldLoad: RaceScript = {
  id: 'join-old-load',
  title: 'A call comes after the invalidation while a load begun before the write still runs',
  law: 'A call that begins after an invalidation is not given what was read before the write.',
  needs: [],
  async play(scene) {
    const a = await scene.node('a')
    const held = scene.origin.held(key)
    const first = Promise.resolve(a.cache.getOrSet(key, held.load))
    await held.hasRead
    const wanted = scene.origin.write(key)
    await a.cache.invalidateKey(key)

    const asked: Promise<unknown>[] = []
    let answer: unknown = late
    for (const giveUpAt = performance.now() + settleMs; performance.now() < giveUpAt && answer !== wanted;) {
      asked.push(Promise.resolve(a.ask(key)))
      answer = await within(askEveryMs, Promise.race(asked))
      if (answer !== late && answer !== wanted) asked.length = 0
      await pause(1)
    }
    held.release()
    await first
    if (answer === wanted) return kept(`${wanted} while the old load ran`)
    const last = await Promise.resolve(a.ask(key))
    const joined = await Promise.all(asked)
    return broken(`waited for the old load and got ${String(joined.at(-1) ?? last)}`)
  },
}

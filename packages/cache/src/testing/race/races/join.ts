import { late, pause, settleMs, within, words } from '../patience.js'
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

    let last: Promise<unknown> = Promise.resolve()
    let answer: unknown = late
    for (const giveUpAt = performance.now() + settleMs; performance.now() < giveUpAt;) {
      last = Promise.resolve(a.ask(key))
      last.catch(() => undefined)
      answer = await within(askEveryMs, last)
      if (answer === wanted) break
      await pause(1)
    }
    const hasWaited = answer === late
    held.release()
    await first
    answer = await last
    if (answer !== wanted)
      return broken(`${hasWaited ? 'waited for the old load and got ' : ''}${words(answer)}`)
    return kept(hasWaited ? `${wanted}, but only when the old load had ended` : wanted)
  },
}

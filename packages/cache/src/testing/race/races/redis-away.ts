import { late, pause, within, words } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept, notOffered } from '../verdict.js'

const boundMs = 3_000
const cutMs = 300
const backMs = 8_000

export const hungRedis: RaceScript = {
  id: 'hung-redis',
  title: 'Redis hangs; a cold key with a loader that works, time-outs as they come',
  law: `The call is answered within ${boundMs / 1_000} s.`,
  needs: ['redis'],
  async play(scene) {
    const a = await scene.node('a')
    await a.ask('product:warm')
    a.route.hang()
    const answer = await within(boundMs, Promise.resolve(a.ask('product:cold')))
    return answer === 'v1' ? kept('answered') : broken(`${words(answer)} within ${boundMs / 1_000} s`)
  },
}

export const killedSubscriber: RaceScript = {
  id: 'killed-subscriber',
  title: 'All connections of a process are reset, its subscription too, and come back',
  law: 'The process lives and serves.',
  needs: ['redis'],
  deadlineMs: 40_000,
  async play(scene) {
    if (!scene.canFork) return notOffered('no processes were given')
    const { process, route } = await scene.process('a')
    await process.ask('product:1')
    for (let i = 0; i < 2; i++) {
      await route.cut()
      await pause(cutMs)
      await route.heal()
      await pause(cutMs)
    }
    const giveUpAt = performance.now() + backMs
    let saw: unknown
    while (process.end === undefined && performance.now() < giveUpAt) {
      saw = await within(1_000, process.ask('product:2')).catch((error: unknown) => error)
      if (Array.isArray(saw) && saw[0] === 'v1') break
      await pause(50)
    }
    // A late crash is a crash too.
    await pause(2 * cutMs)
    if (process.end !== undefined) return broken(`the process ${process.end}`)
    return Array.isArray(saw) ? kept('lives and serves') : broken(saw === late ? 'no answer' : words(saw))
  },
}

import { pause, settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept, notOffered } from '../verdict.js'

const key = 'product:1'
const cutMs = 300
/** Time for clients to connect again, and for those that notice by silence. */
const recoverMs = 5_000

export const heard: RaceScript = {
  id: 'heard',
  title: 'An invalidation, and nothing goes wrong',
  law: 'What another node holds in memory is not served any more.',
  needs: ['memory', 'bus'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    await b.ask(key)
    const wanted = scene.origin.write(key)
    await a.cache.invalidateKey(key)
    const { isRight, saw } = await settles(() => b.ask(key), wanted)
    return isRight ? kept(wanted) : broken(`other node: ${saw}`)
  },
}

export const lostMessage: RaceScript = {
  id: 'lost-message',
  title: 'Lost message: a node is cut off while an invalidation is published, then connected again',
  law: 'An invalidation that a node missed is made up for once it is connected again.',
  needs: ['memory', 'bus'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    await b.ask(key)
    await b.route.cut()
    const wanted = scene.origin.write(key)
    await a.cache.invalidateKey(key)
    await pause(cutMs)
    await b.route.heal()
    const { isRight, saw } = await settles(() => b.ask(key), wanted, recoverMs)
    return isRight ? kept(wanted) : broken(`${saw}, ${recoverMs / 1_000} s after it was connected again`)
  },
}

export const redelivered: RaceScript = {
  id: 'redelivered',
  title: 'Messages come twice, late and out of order',
  law: 'An old message brings no old value back.',
  needs: ['redelivery'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    const nodes = { 'same node': a, 'other node': b }
    for (const { ask } of Object.values(nodes)) await ask(key)
    let wanted = ''
    for (let i = 0; i < 2; i++) {
      wanted = scene.origin.write(key)
      await a.cache.invalidateKey(key)
      for (const { ask } of Object.values(nodes)) {
        const { isRight, saw } = await settles(() => ask(key), wanted)
        if (!isRight) return broken(`${saw}, before anything was sent again`)
      }
    }
    const count = await b.cache.redeliver!()
    if (count === 0) return notOffered('no message to send again')
    for (const [who, { ask }] of Object.entries(nodes)) {
      const { isRight, saw } = await settles(() => ask(key), wanted)
      if (!isRight) return broken(`${who}: ${saw}`)
    }
    return kept(`${wanted} after ${count} old messages`)
  },
}

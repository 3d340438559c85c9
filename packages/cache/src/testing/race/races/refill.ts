import { pause, settles } from '../patience.js'
import type { RaceScript } from '../race.js'
import { broken, kept, notOffered } from '../verdict.js'

const key = 'product:1'
const ttlMs = 1_500
const refillAfterMs = 900
const slackMs = 200
const attempts = 5
/** For stores that the caller does not wait for. */
const storedMs = 100

export const refillTtl: RaceScript = {
  id: 'refill-ttl',
  title: 'Memory is refilled from a value in Redis that has lived for most of its ttl',
  law: 'It lives on for the time it had left, not for a whole ttl again.',
  needs: ['memory', 'redis'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    for (let i = 0; i < attempts; i++) {
      const each = `${key}-${i}`
      const expiresAt = performance.now() + ttlMs
      await a.ask(each, { ttlMs })
      await pause(refillAfterMs)
      await b.ask(each, { ttlMs })
      // On a busy machine it may have been too late for a refill.
      if (scene.origin.calls(each) > 1) continue
      const wanted = scene.origin.write(each)
      await pause(Math.max(0, expiresAt + slackMs - performance.now()))
      const { isRight, saw } = await settles(() => b.ask(each, { ttlMs }), wanted, slackMs)
      return isRight ? kept('loaded again when its ttl had passed') : broken(`${saw}, past its ttl`)
    }
    return notOffered('no refill from Redis was seen')
  },
}

export const refillLate: RaceScript = {
  id: 'refill-late',
  title: 'Redis answers with a value, and the answer arrives after the value’s invalidation',
  law: 'It does not settle in memory.',
  needs: ['memory', 'redis', 'bus'],
  async play(scene) {
    const [a, b] = [await scene.node('a'), await scene.node('b')]
    if (b.route.holdAnswers === undefined) return notOffered('the faults cannot hold answers back')
    await a.ask(key)
    await b.ask('product:other')
    await pause(storedMs)
    b.route.holdAnswers()
    const asked = Promise.resolve(b.ask(key))
    await pause(storedMs)
    const wanted = scene.origin.write(key)
    await a.cache.invalidateKey(key)
    await pause(storedMs)
    await b.route.heal()
    await asked
    const { isRight, saw } = await settles(() => b.ask(key), wanted)
    return isRight ? kept(wanted) : broken(saw)
  },
}

export const resurrected: RaceScript = {
  id: 'resurrected',
  title: 'Redis fails over to a replica that missed a deletion: the old value is there again',
  law: 'An invalidated value that comes back in Redis is not served.',
  needs: ['redis'],
  async play(scene) {
    const a = await scene.node('a')
    if (scene.faults.remember === undefined) return notOffered('the faults cannot bring values back')
    await a.ask(key)
    await pause(storedMs)
    const bringBack = await scene.faults.remember(scene.namespace)
    const wanted = scene.origin.write(key)
    await a.cache.invalidateKey(key)
    await bringBack()
    const b = await scene.node('b')
    for (const [who, node] of Object.entries({ 'another node': b, 'the same node': a })) {
      const { isRight, saw } = await settles(() => node.ask(key), wanted)
      if (!isRight) return broken(`${who}: ${saw}`)
    }
    return kept(wanted)
  },
}

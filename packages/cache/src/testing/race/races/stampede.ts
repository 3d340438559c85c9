import { late, pause, within } from '../patience.js'
import type { RaceProcess } from '../race-process.js'
import type { RaceScript } from '../race.js'
import type { Verdict } from '../verdict.js'
import { broken, kept, notOffered } from '../verdict.js'

const key = 'product:1'
const callers = 500
const loadMs = 300
const servedMs = 10_000
const warmKeys = 20

/** A connection that is only being opened is no race: one key for every server that there may be. */
async function warm(processes: readonly RaceProcess[]): Promise<void> {
  for (let i = 0; i < warmKeys; i++) await Promise.all(processes.map((each) => each.ask(`warm:${i}`)))
}

const verdictOn = (calls: number): Verdict =>
  calls === 1 ? kept('1 origin call') : broken(`${calls} origin calls`)

export const stampedeProcess: RaceScript = {
  id: 'stampede-process',
  title: `Stampede: ${callers} calls at once for one cold key in one process`,
  law: 'The origin is asked once.',
  needs: [],
  async play(scene) {
    const { cache } = await scene.node('a')
    const load = async (): Promise<string> => {
      const value = scene.origin.read(key)
      await pause(loadMs)
      return value
    }
    const values = await Promise.all(Array.from({ length: callers }, async () => cache.getOrSet(key, load)))
    const wrong = values.filter((value) => value !== 'v1').length
    return wrong > 0 ? broken(`${wrong} wrong answers`) : verdictOn(scene.origin.calls(key))
  },
}

export const stampedeProcesses: RaceScript = {
  id: 'stampede-processes',
  title: `Stampede: two processes, ${callers} calls each`,
  law: 'The origin is asked once.',
  needs: ['redis'],
  deadlineMs: 40_000,
  async play(scene) {
    if (!scene.canFork) return notOffered('no processes were given')
    const load = async (each: string): Promise<string> => {
      const value = scene.origin.read(each)
      if (each === key) await pause(loadMs)
      return value
    }
    const opened = await Promise.all([scene.process('a', load), scene.process('b', load)])
    const processes = opened.map((each) => each.process)
    await warm(processes)
    const given = await Promise.all(processes.map((each) => each.ask(key, callers)))
    const wrong = given.flat().filter((value) => value !== 'v1')
    return wrong.length > 0 ? broken(`wrong answers: ${String(wrong)}`) : verdictOn(scene.origin.calls(key))
  },
}

export const deadLeader: RaceScript = {
  id: 'dead-leader',
  title: 'The process that loads for all is killed while the others wait for it',
  law: 'The others are served, and one of them loads, not all.',
  needs: ['redis'],
  deadlineMs: 40_000,
  async play(scene) {
    if (!scene.canFork) return notOffered('no processes were given')
    let isLeaderDead = false
    const load = async (each: string): Promise<string> => {
      const value = scene.origin.read(each)
      // What the leader loads never arrives.
      while (each === key && !isLeaderDead) await pause(10)
      return value
    }
    const roles = ['leader', 'b', 'c']
    const opened = await Promise.all(roles.map((role) => scene.process(role, load)))
    const processes = opened.map((each) => each.process)
    const [leader, b, c] = processes
    await warm(processes)
    leader!.ask(key).catch(() => undefined)
    while (scene.origin.calls(key) === 0) await pause(5)
    const others = Promise.all([b!.ask(key, callers), c!.ask(key, callers)])
    others.catch(() => undefined)
    await pause(loadMs)
    const ofTheirOwn = scene.origin.calls(key) - 1
    await leader!.kill()
    isLeaderDead = true
    if (ofTheirOwn > 0) return notOffered('each process loads for itself: nobody leads')
    const given = await within(servedMs, others)
    if (given === late) return broken(`not served within ${servedMs / 1_000} s`)
    const calls = scene.origin.calls(key) - 1
    const wrong = given.flat().filter((value) => value !== 'v1')
    if (wrong.length > 0) return broken(`wrong answers: ${String(wrong)}`)
    return calls === 1 ? kept('served by 1 more load') : broken(`${calls} more loads`)
  },
}

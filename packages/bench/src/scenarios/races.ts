import { raceSuite } from '@tidemark/cache/testing'
import type { Verdict } from '@tidemark/cache/testing'
import { ownRedis, raceFaults } from '@tidemark/testkit'
import { connect } from '../peers/connect.js'
import { runners } from '../races/registry.js'
import { runRace } from '../races/run-race.js'
import type { Scenario } from './scenario.js'

/** Every race for every library, each in a process of its own, on a Redis of their own that refuses and hangs. */
export const races: Scenario = {
  name: 'races',
  async run(stage) {
    const redis = await ownRedis()
    stage.stack.push(() => redis.remove())
    const admin = connect(redis.url)
    const libraries = runners(stage.postgresUrl)
    const stores = { redisUrl: redis.url, postgresUrl: stage.postgresUrl }
    const rows: { title: string; cells: string[] }[] = []
    const list = raceSuite(libraries[0]!, { faults: raceFaults([redis.url]) })
    for (const { id, title } of list) {
      const cells: string[] = []
      for (const { name } of libraries) {
        await admin.flushall()
        const verdict = await runRace(name, id, stores)
        stage.say(`races: ${id}, ${name}: ${cellOf(verdict)}`)
        cells.push(cellOf(verdict))
      }
      rows.push({ title: `\`${id}\`: ${title}`, cells })
    }
    admin.disconnect()
    await redis.remove()
    return [{ title: 'Races', columns: libraries.map(({ name }) => name), rows }]
  },
}

function cellOf(verdict: Verdict): string {
  if ('skipped' in verdict) return `not offered (${verdict.skipped})`
  return verdict.passed ? 'kept' : `**broken**: ${verdict.saw}`
}

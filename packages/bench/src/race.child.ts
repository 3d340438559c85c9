/** One race of one library in a process of its own, which may crash: that is a result too. */
import { fork } from 'node:child_process'
import { raceSuite } from '@tidemark/cache/testing'
import { raceFaults } from '@tidemark/testkit'
import { runnerNamed } from './races/registry.js'

const [name, id, redisUrl, postgresUrl] = process.argv.slice(2)

const node = new URL('./race-node.child.js', import.meta.url)
const races = raceSuite(runnerNamed(name!, postgresUrl!), {
  faults: raceFaults([redisUrl!]),
  fork: () => fork(node, [name!, postgresUrl!], { silent: true }),
})
const race = races.find((each) => each.id === id)
if (race === undefined) throw new Error(`no race is called "${id}"`)

process.on('disconnect', () => process.exit())
process.on('SIGINT', () => undefined)
process.send!(await race.run(), () => process.exit())

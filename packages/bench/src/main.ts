/** `pnpm bench [--quick] [scenario…]`: peers beside us in one run. Tables on stdout, progress on stderr. */
import { interruptible } from './interruptible.js'
import { markdown } from './measure/table.js'
import { verdictsMarkdown } from './measure/verdicts.js'
import { scenarios } from './scenarios/registry.js'
import { setStage } from './stage/stage.js'

const names = scenarios.map(({ name }) => name)
const given = process.argv.slice(2)
const wanted = given.filter((word) => !word.startsWith('-'))
const unknown = given.filter((word) => word !== '--quick' && !names.includes(word))
if (unknown.length > 0) {
  console.error(`bench: "${unknown.join(' ')}" is not known; [--quick] [${names.join(' | ')} …]`)
  process.exit(2)
}

const say = (line: string): void => {
  console.error(line)
}
const { stack, signal: interrupted } = interruptible(say)

try {
  say('bench: bringing up Postgres, Redis and the invalidation service')
  const isQuick = given.includes('--quick')
  const stage = await setStage({ stack, signal: interrupted, isQuick, say })
  console.log(`${await stage.machine()}${isQuick ? '; quick: not for comparison' : ''}\n`)
  for (const scenario of scenarios) {
    if (wanted.length > 0 && !wanted.includes(scenario.name)) continue
    const startMs = performance.now()
    const tables = await scenario.run(stage)
    say(`bench: ${scenario.name} took ${((performance.now() - startMs) / 1_000).toFixed(0)} s`)
    for (const table of tables)
      console.log('isMoreBetter' in table ? markdown(table) : verdictsMarkdown(table))
  }
  console.log(await stage.machine())
} catch (error) {
  if (!interrupted.aborted) console.error(error)
  process.exitCode = 1
} finally {
  await stack.unwind()
}
if (!interrupted.aborted) process.exit()

import { curlLines } from './launch/curl-lines.js'
import { demonstrate } from './launch/demonstration.js'
import { launch } from './launch/launcher.js'
import { launchSettings } from './launch/settings.js'
import { createStopStack } from './launch/stop-stack.js'
import { InfraError } from './stores/store.js'

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const complain = (error: unknown): void => {
  const known = error instanceof InfraError
  process.stderr.write(`tidemark: ${known ? error.message : String((error as Error).stack ?? error)}\n`)
}

/** Ctrl-C reaches this process more than once (terminal, npm, bootstrap): only the first counts. */
function whenToldToStop(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop.abort(signal)
    })
  }
  // Whoever was reading has gone (`npm start | head`): writing on would crash the house without taking it down.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      stop.abort('nobody reads')
    })
  }
  process.on('disconnect', () => {
    stop.abort('the starter is gone')
  })
  return stop.signal
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else {
      signal.addEventListener('abort', () => {
        resolve()
      })
    }
  })

/** Shows the house at work and keeps it up until told to stop. @throws InfraError when a part of it ends unasked */
async function run(signal: AbortSignal, stack: ReturnType<typeof createStopStack>): Promise<void> {
  const settings = launchSettings(process.env, process.argv.slice(2))
  const house = await launch({ settings, env: process.env, signal, stack, say })
  if (!house) return
  const fail = house.broken.then((error) => {
    if (!signal.aborted) throw error
  })
  const show = async (): Promise<void> => {
    say('')
    const { token, categoryId } = await demonstrate({
      readUrl: house.urls.read,
      writeUrl: house.urls.write,
      say,
    })
    say('\nTo try:')
    for (const { title, command } of curlLines(house.urls, token, categoryId))
      say(`  # ${title}\n  ${command}`)
    say(`\nJob queues: ${house.urls.invalidation}/admin/queues (any user, password ${settings.adminToken}).`)
    say(
      `Logs: ${settings.folder}/logs. API pages: ${house.urls.read}/docs. Ctrl-C stops it; the data is kept.`,
    )
    if (!settings.exitAfterDemo) await aborted(signal)
  }
  await Promise.race([show(), aborted(signal), fail])
}

const signal = whenToldToStop()
const stack = createStopStack(complain)
void aborted(signal).then(() => {
  say('\nstopping: services drain first, then the stores (data is kept)')
})
try {
  await run(signal, stack)
  await stack.unwind()
  say('stopped')
  process.exitCode = 0
} catch (error) {
  if (!signal.aborted) complain(error)
  await stack.unwind()
  process.exitCode = signal.aborted ? 0 : 1
}
// The channel to the starter, signal handlers and dying sockets must not hold up the end.
process.exit()

import { childrenOf, isAlive, leash, signalProcess, stopProcess } from '@tidemark/infra'
import type { Leash } from '@tidemark/infra'

import type { OwnServer } from './own-server.js'
import type { TemporaryFolder } from './temporary-folder.js'

const GONE_BOUND_MS = 10_000

/** A server as it was just started. */
interface Started {
  readonly url: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

export interface OwnProcessOptions {
  readonly folder: TemporaryFolder
  /** What ends it at once without leaving shared memory behind. */
  readonly leashSignal: 'TERM' | 'QUIT'
  /** Starts the server; with a port, on that one. */
  launch(port: number | undefined): Promise<Started>
}

/** Puts `pause`, `kill` and `start` around a server; a leash sees that it never outlives the test process. */
export async function ownProcess({ folder, leashSignal, launch }: OwnProcessOptions): Promise<OwnServer> {
  let current: Started
  let held: Leash

  const begin = async (port: number | undefined): Promise<void> => {
    current = await launch(port)
    held = leash({ pid: current.pid, signal: leashSignal, patienceSeconds: 2, folder: folder.path })
  }
  /** Postgres is one process for each connection; the first is signalled first, so that it starts no more. */
  const signalAll = async (signal: NodeJS.Signals): Promise<void> => {
    signalProcess(current.pid, signal)
    for (const child of await childrenOf(current.pid)) signalProcess(child, signal)
  }
  const end = async (how: () => Promise<unknown>): Promise<void> => {
    if (await isAlive(current.pid)) await how()
    held.release()
  }

  const server: OwnServer = {
    get url() {
      return current.url
    },
    get pid() {
      return current.pid
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    kill: () => end(() => stopProcess(current.pid, 'SIGKILL', GONE_BOUND_MS)),
    async start() {
      if (await isAlive(current.pid)) throw new Error('the server is still running: kill or stop it first')
      await begin(current.port)
    },
    async stop() {
      await end(async () => {
        await signalAll('SIGCONT')
        await current.stop()
      })
    },
    async remove() {
      await server.kill()
      await folder.remove()
    },
  }
  await begin(undefined).catch(async (error: unknown) => {
    await folder.remove()
    throw error
  })
  return server
}

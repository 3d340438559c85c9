/** The house of a soak: stores of its own, two of each service but the write service, and hands on all of them. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, runScript, startService } from '@tidemark/infra'
import type { ServiceChild, StopStack } from '@tidemark/infra'
import { ownPostgres, ownSentinel } from '@tidemark/testkit'
import { movingAddress } from './moving-address.js'

export interface SoakStage {
  readonly database: string
  readonly write: string
  readonly readers: readonly [string, string]
  readonly folder: string
  signalInvalidation(which: number, signal: NodeJS.Signals): void
  endInvalidation(which: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  startInvalidation(which: number): Promise<void>
  /** The replica is promoted and the address moves; the old master becomes its replica. */
  failOver(): Promise<void>
  /** The same, where what was written in the last `forMs` never reached the replica. */
  loseTail(forMs: number): Promise<void>
  hangRedis(forMs: number): Promise<void>
}

const root = fileURLToPath(new URL('../../../../', import.meta.url))

export async function setSoakStage(
  stack: StopStack,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<SoakStage> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-soak-'))
  stack.push(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'logs'))
  const postgres = await ownPostgres({ max_connections: '200' })
  stack.push(() => postgres.remove())
  const sentinel = await ownSentinel({ downAfterMs: 5_000 })
  stack.push(() => sentinel.remove())
  const address = await movingAddress((await sentinel.master()).url)
  stack.push(() => address.close())

  const env = {
    ...process.env,
    DATABASE_URL: postgres.url,
    REDIS_URL: address.url,
    LOG_LEVEL: 'warn',
    SEED_PRODUCTS: '2000',
  }
  await runScript({ name: 'migrate', file: 'packages/database/dist/migrate-main.js', root, env, signal, say })
  await runScript({ name: 'seed', file: 'packages/resources/dist/seed-main.js', root, env, signal, say })

  let started = 0
  const start = async (name: 'read' | 'write' | 'invalidation', port?: number): Promise<ServiceChild> => {
    const logFile = join(folder, 'logs', `${name}-${++started}.log`)
    const child = startService({
      name,
      root,
      port: port ?? (await freePort()),
      env,
      // What a fault makes the services log is looked at in the files, if at all.
      say: () => undefined,
      logFile,
      watch: false,
    })
    stack.push(() => child.stop())
    await child.whenReady(signal)
    return child
  }
  const invalidation = [await start('invalidation'), await start('invalidation')]
  const write = await start('write')
  const readers = [await start('read'), await start('read')] as const

  const kill = (child: ServiceChild, how: NodeJS.Signals): void => {
    if (child.pid !== undefined) process.kill(child.pid, how)
  }
  return {
    database: postgres.url,
    write: write.url,
    readers: [readers[0].url, readers[1].url],
    folder,
    signalInvalidation(which, how) {
      kill(invalidation[which]!, how)
    },
    async endInvalidation(which, how) {
      kill(invalidation[which]!, how)
      await invalidation[which]!.ended
    },
    async startInvalidation(which) {
      invalidation[which] = await start('invalidation')
    },
    async failOver() {
      await sentinel.failOver()
      address.moveTo((await sentinel.master()).url)
    },
    async loseTail(forMs) {
      const old = await sentinel.master()
      await sentinel.loseTail(() => new Promise((resolve) => setTimeout(resolve, forMs)))
      address.moveTo((await sentinel.master()).url)
      await old.start()
      await sentinel.hasReplica()
    },
    async hangRedis(forMs) {
      const master = await sentinel.master()
      await master.pause()
      await new Promise((resolve) => setTimeout(resolve, forMs))
      await master.resume()
    },
  }
}

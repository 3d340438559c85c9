import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { InfraError } from '../stores/store.js'

/*
 * One start at a time in one folder. The lock is a socket that the running start listens on: the system closes it when
 * its process dies, so a lock left behind refuses connections and is known to be stale; a pid file could not tell.
 */

const ANSWER_TIMEOUT_MS = 2_000
/** Socket paths are cut at 104 bytes on some systems. */
const MAX_PATH = 100

function pathFor(folder: string): string {
  const path = join(folder, 'start.lock')
  if (Buffer.byteLength(path) < MAX_PATH) return path
  return join(tmpdir(), `tidemark-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}.lock`)
}

/** The process id that the holder answers with; undefined if nobody listens. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let answer = ''
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      socket.destroy()
      resolve('that does not answer')
    })
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('end', () => {
      resolve(answer)
    })
    socket.on('error', () => {
      resolve(undefined)
    })
  })
}

/** Takes the lock of `folder`; gives what returns it. @throws InfraError `already_running` */
export async function takeStartLock(folder: string): Promise<() => Promise<void>> {
  const path = pathFor(folder)
  const holder = await holderOf(path)
  if (holder !== undefined) {
    throw new InfraError(
      'already_running',
      `Tidemark is already running on ${folder} (process ${holder}): stop it first, with Ctrl-C where it runs`,
    )
  }
  await rm(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(String(process.pid))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
    })
}

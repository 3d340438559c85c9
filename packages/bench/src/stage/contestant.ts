import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Peer, Tiers } from '../peers/peer.js'
import { peers } from '../peers/registry.js'
import type { WorkInput, WorkName } from '../work/work.js'
import type { Stage } from './stage.js'

/** A process of its own with one peer in it, which does what it is told. */
export interface Contestant {
  readonly peer: Peer
  /** @throws with the child's words; when it gives no answer in `timeoutMs` */
  call<R>(name: string, input?: unknown, timeoutMs?: number): Promise<R>
  end(): Promise<void>
}

export interface ContestantOptions {
  readonly work: WorkName
  readonly tiers: Tiers
  readonly bus?: boolean
  readonly entries?: number
  readonly flags?: readonly string[]
  /** Instead of the stage's. */
  readonly redisUrl?: string
}

const callTimeoutMs = 60_000
const file = new URL('../contestant.child.js', import.meta.url)

interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

export async function contestant(stage: Stage, peer: Peer, options: ContestantOptions): Promise<Contestant> {
  const input: WorkInput = {
    peer: peer.name,
    work: options.work,
    tiers: options.tiers,
    bus: options.bus ?? false,
    entries: options.entries ?? 100_000,
    redisUrl: options.redisUrl ?? stage.valuesUrl(peers.indexOf(peer)),
    log: { redisUrl: stage.redisUrl, postgresUrl: stage.postgresUrl },
  }
  const child = fork(file, [JSON.stringify(input)], { execArgv: [...(options.flags ?? [])] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let calls = 0
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  const made: Contestant = {
    peer,
    end,
    call: <R>(name: string, given: unknown = {}, timeoutMs = callTimeoutMs) =>
      ask(child, { id: ++calls, name, input: given }, timeoutMs) as Promise<R>,
  }
  await made.call('open').catch(async (error: unknown) => {
    await end()
    throw error
  })
  return made
}

function ask(
  child: ChildProcess,
  question: { id: number; name: string; input: unknown },
  timeoutMs: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      child.off('message', hear)
      child.off('exit', gone)
      act()
    }
    const fail = (why: string): void => {
      settle(() => {
        reject(new Error(`${question.name}: ${why}`))
      })
    }
    const gone = (): void => {
      fail('the process has ended')
    }
    const hear = (message: unknown): void => {
      const reply = message as Reply
      if (reply.id !== question.id) return
      if (reply.error !== undefined) fail(reply.error)
      else
        settle(() => {
          resolve(reply.result)
        })
    }
    const timer = setTimeout(() => {
      fail(`no answer in ${timeoutMs / 1_000} s`)
    }, timeoutMs)
    child.on('message', hear)
    child.once('exit', gone)
    child.send(question)
  })
}

import type { RaceAdapter, RaceInstance } from './adapter.js'
import type { FromProcess, ToProcess } from './messages.js'

/**
 * Makes this process a node of the races between processes: it does what the suite tells it over the IPC channel and
 * ends when that closes. Whatever the library lets escape here ends the process, and that is a result.
 *
 * @example serveRaces(adapter)   // the whole of the file that `fork` starts
 */
export function serveRaces(adapter: RaceAdapter): void {
  const waiting = new Map<number, (value: unknown) => void>()
  let loads = 0
  let opening: Promise<RaceInstance> | undefined

  const tell = (message: FromProcess): void => {
    process.send?.(message)
  }
  const load = (key: string) => (): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(++loads, resolve)
      tell({ kind: 'load', load: loads, key })
    })
  const doIt = async (order: Exclude<ToProcess, { kind: 'loaded' }>): Promise<readonly unknown[]> => {
    if (order.kind === 'open') {
      opening = adapter.open(order.setup)
      await opening
      return []
    }
    const instance = await opening!
    const asked = Array.from({ length: order.callers }, async () =>
      instance.getOrSet(order.key, load(order.key)),
    )
    return [...new Set(await Promise.all(asked))]
  }

  process.on('message', (message) => {
    const order = message as ToProcess
    if (order.kind === 'loaded') {
      waiting.get(order.load)?.(order.value)
      waiting.delete(order.load)
      return
    }
    doIt(order).then(
      (values) => {
        tell({ kind: 'done', id: order.id, values })
      },
      (error: unknown) => {
        tell({ kind: 'failed', id: order.id, why: error instanceof Error ? error.message : String(error) })
      },
    )
  })
  process.on('disconnect', () => process.exit())
  if (!process.connected) process.exit()
}

/** What goes wrong during a soak: two loops, so that a service dies while Redis fails over, too. */
import type { SoakStage } from './stage.js'

export interface FaultsOptions {
  readonly stage: SoakStage
  readonly random: () => number
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface Faults {
  /** How often each was done. */
  readonly done: ReadonlyMap<string, number>
  /** When each began and was over, on this process's clock. */
  readonly spans: readonly { readonly beganMs: number; readonly overMs: number }[]
  readonly ended: Promise<void>
}

export function beginFaults({ stage, random, signal, say }: FaultsOptions): Faults {
  const done = new Map<string, number>()
  const spans: { beganMs: number; overMs: number }[] = []
  const between = (low: number, high: number): number => low + random() * (high - low)
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(end, ms)
      function end(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      signal.addEventListener('abort', end)
    })
  const doing = async (name: string, act: () => Promise<void>): Promise<void> => {
    const beganMs = performance.now()
    say(name)
    await act()
    done.set(name, (done.get(name) ?? 0) + 1)
    spans.push({ beganMs, overMs: performance.now() })
  }

  const killInvalidation = async (): Promise<void> => {
    while (!signal.aborted) {
      await rest(between(6_000, 16_000))
      if (signal.aborted) return
      const which = random() < 0.5 ? 0 : 1
      const how = random()
      if (how < 0.2)
        await doing('invalidation service paused', async () => {
          stage.signalInvalidation(which, 'SIGSTOP')
          await rest(between(500, 4_000))
          stage.signalInvalidation(which, 'SIGCONT')
        })
      else
        await doing(
          how < 0.8 ? 'invalidation service killed' : 'invalidation service restarted',
          async () => {
            await stage.endInvalidation(which, how < 0.8 ? 'SIGKILL' : 'SIGTERM')
            await rest(between(0, 3_000))
            await stage.startInvalidation(which)
          },
        )
    }
  }
  const failRedisOver = async (): Promise<void> => {
    while (!signal.aborted) {
      await rest(between(25_000, 45_000))
      if (signal.aborted) return
      const how = random()
      if (how < 0.4) await doing('Redis failed over', () => stage.failOver())
      else if (how < 0.8)
        await doing('Redis failed over, its tail lost', () => stage.loseTail(between(50, 500)))
      else
        await doing('Redis hung', async () => {
          await stage.hangRedis(between(300, 1_500))
        })
    }
  }
  const ended = Promise.all([killInvalidation(), failRedisOver()]).then(() => undefined)
  return { done, spans, ended }
}

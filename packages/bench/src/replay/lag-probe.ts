/** How long after its commit a write shows in plain bounded reads, asked of one reader until it does. */
import type { HttpClient } from './http-client.js'
import type { WriteDone } from './writers.js'

const giveUpAfterMs = 10_000
const askEveryMs = 1

export interface LagProbe {
  follow(write: WriteDone, reader: HttpClient): void
  settled(): Promise<void>
  readonly lagsMs: Readonly<Record<WriteDone['writer'], number[]>>
  /** Writes that no plain read showed within ten seconds. */
  readonly lost: number
}

export function createLagProbe(now: () => number, maxAtOnce = 4): LagProbe {
  const lagsMs = { service: [] as number[], sql: [] as number[] }
  const running = new Set<Promise<void>>()
  let lost = 0

  async function watch(write: WriteDone, reader: HttpClient): Promise<void> {
    while (now() - write.acknowledgedAt < giveUpAfterMs) {
      const reply = await reader.get(`/v1/products/${write.productId}`)
      if (reply.status === 200 && (JSON.parse(reply.body) as { stock: number }).stock >= write.value) {
        lagsMs[write.writer].push(now() - write.acknowledgedAt)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, askEveryMs))
    }
    lost++
  }

  return {
    lagsMs,
    get lost() {
      return lost
    },
    follow(write, reader) {
      if (running.size >= maxAtOnce) return
      const probe = watch(write, reader)
        .catch(() => undefined)
        .finally(() => running.delete(probe))
      running.add(probe)
    },
    async settled() {
      await Promise.all(running)
    },
  }
}

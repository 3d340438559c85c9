import type { HotKey } from '@tidemark/log'
import { tellHeat } from '@tidemark/log'

type Client = Parameters<typeof tellHeat>[0]

export interface HeatTellerOptions {
  readonly redis: Client
  readonly prefix: string
  /** Of this process. */
  readonly id: string
  readonly hottest: () => readonly HotKey[]
  /** Milliseconds, monotonic. */
  readonly now?: () => number
}

/** Within the time after which a silent reader is taken for gone. */
const saySameAgainMs = 5_000

/** Tells what is hot, unless it is what was told last. */
export function heatTeller({
  redis,
  prefix,
  id,
  hottest,
  now = () => performance.now(),
}: HeatTellerOptions): () => Promise<void> {
  let said = ''
  let saidAt = -Infinity
  return async () => {
    // One digit of the heat: enough to tell what is hotter, and it seldom changes.
    const keys = hottest().map((each) => ({ ...each, heat: Number(each.heat.toPrecision(1)) }))
    const saying = JSON.stringify(keys)
    if (saying === said && now() - saidAt < saySameAgainMs) return
    await tellHeat(redis, { id, keys }, prefix)
    said = saying
    saidAt = now()
  }
}

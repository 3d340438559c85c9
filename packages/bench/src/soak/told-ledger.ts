/**
 * Which committed changes each subscriber has been told of. A change is one version of one product, and is owed from its
 * acknowledgement on; a subscriber may hear of it earlier, and more than once.
 */

export interface ToldLedger {
  /** A write was acknowledged: every subscriber must hear of it. */
  owe(productId: number, version: number, atMs: number): void
  tell(subscriber: number, productId: number, version: number, atMs: number): void
  /** Changes that some subscriber has not heard of. */
  readonly outstanding: readonly Outstanding[]
  readonly owed: number
  readonly told: number
  /** From acknowledgement to the subscriber, 0 where it heard first. */
  readonly lags: readonly Lag[]
}

interface Outstanding {
  readonly productId: number
  readonly version: number
  readonly owedSinceMs: number
  readonly heardBy: readonly number[]
}

interface Lag {
  readonly atMs: number
  readonly lagMs: number
}

interface Entry {
  owedSinceMs?: number
  readonly heard: Map<number, number>
}

export function createToldLedger(subscribers: number): ToldLedger {
  const entries = new Map<string, Entry>()
  const lags: Lag[] = []
  let owed = 0
  let told = 0
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name) ?? { heard: new Map<number, number>() }
    entries.set(name, entry)
    return entry
  }
  const settle = (name: string, entry: Entry): void => {
    const { owedSinceMs, heard } = entry
    if (owedSinceMs === undefined || heard.size < subscribers) return
    for (const atMs of heard.values()) lags.push({ atMs, lagMs: Math.max(0, atMs - owedSinceMs) })
    entries.delete(name)
  }
  return {
    lags,
    get owed() {
      return owed
    },
    get told() {
      return told
    },
    owe(productId, version, atMs) {
      owed++
      const name = `${productId}:${version}`
      const entry = entryOf(name)
      entry.owedSinceMs = atMs
      settle(name, entry)
    },
    tell(subscriber, productId, version, atMs) {
      told++
      const name = `${productId}:${version}`
      const entry = entryOf(name)
      if (!entry.heard.has(subscriber)) entry.heard.set(subscriber, atMs)
      settle(name, entry)
    },
    get outstanding() {
      return [...entries].flatMap(([name, { owedSinceMs, heard }]) => {
        const [productId, version] = name.split(':').map(Number) as [number, number]
        return owedSinceMs === undefined
          ? []
          : [{ productId, version, owedSinceMs, heardBy: [...heard.keys()] }]
      })
    },
  }
}

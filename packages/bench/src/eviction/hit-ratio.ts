import type { NamedPolicy } from './eviction-policy.js'
import type { Workload } from './workloads.js'

export interface HitRatio {
  /** Of the requests that are no scan's, the part that found its page held. */
  readonly requests: number
  /** Of the bytes that they asked for, the part that was held. */
  readonly bytes: number
}

/** In a cache of `share` of what there is. */
export function hitRatio(policy: NamedPolicy, { requests, total }: Workload, share: number): HitRatio {
  const cache = policy.make(Math.max(1, Math.round(total * share)), requests)
  const asked = { requests: 0, bytes: 0 }
  const hits = { requests: 0, bytes: 0 }
  for (const { page, size, isScan } of requests) {
    const isHit = cache.ask(page, size)
    if (isScan) continue
    for (const count of isHit ? [asked, hits] : [asked]) {
      count.requests++
      count.bytes += size
    }
  }
  return { requests: hits.requests / asked.requests, bytes: hits.bytes / asked.bytes }
}

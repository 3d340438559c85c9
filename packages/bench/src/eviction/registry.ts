import type { NamedPolicy } from './eviction-policy.js'
import { Belady } from './policies/belady.js'
import { Fifo } from './policies/fifo.js'
import { Lru } from './policies/lru.js'
import type { S3FifoOptions } from './policies/s3-fifo.js'
import { S3Fifo } from './policies/s3-fifo.js'
import { Sieve } from './policies/sieve.js'
import { WTinyLfu } from './policies/w-tiny-lfu.js'

const s3 = (name: string, options: Partial<S3FifoOptions>): NamedPolicy => ({
  name,
  isOurs: options.isBySize === true,
  make: (capacity) =>
    new S3Fifo(capacity, {
      smallShare: 0.1,
      usesToStay: 1,
      mostUses: 3,
      isBySize: false,
      mostSteps: Infinity,
      ...options,
    }),
})
const tiny = (windowShare: number): NamedPolicy => ({
  name: `W-TinyLFU, window ${windowShare * 100} %`,
  make: (capacity, requests) => {
    const pages = new Map(requests.map(({ page, size }) => [page, size]))
    const total = [...pages.values()].reduce((sum, size) => sum + size, 0)
    return new WTinyLfu(capacity, windowShare, Math.ceil((capacity / total) * pages.size))
  },
})

export const policies: readonly NamedPolicy[] = [
  { name: 'FIFO', make: (capacity) => new Fifo(capacity, false) },
  { name: 'CLOCK', make: (capacity) => new Fifo(capacity, true) },
  { name: 'LRU (lru-cache)', make: (capacity) => new Lru(capacity) },
  { name: 'SIEVE', make: (capacity) => new Sieve(capacity) },
  s3('S3-FIFO, as in its paper', { usesToStay: 2 }),
  s3('S3-FIFO, one use to stay', {}),
  s3('S3-FIFO, uses pay for size (L1)', { mostUses: 7, isBySize: true, mostSteps: 32 }),
  tiny(0.01),
  tiny(0.2),
  { name: 'Belady (knows the future)', make: (capacity, requests) => new Belady(capacity, requests) },
]

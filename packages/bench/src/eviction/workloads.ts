import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { randomFrom } from '../replay/random.js'
import type { Trace } from '../replay/trace.js'
import { readTrace, zipfTrace } from '../replay/trace.js'
import type { Request } from './eviction-policy.js'

export const kinds = ['as it is', 'with a scan', 'by bytes', 'by bytes, with a scan'] as const

export interface Workload {
  readonly trace: string
  readonly kind: (typeof kinds)[number]
  readonly requests: readonly Request[]
  /** Sum of the sizes of all pages but a scan's: what a cache that holds everything would take. */
  readonly total: number
}

/** Real accesses of a shop, beside the project or beside its worktrees; the README there says whose they are. */
const folders = ['../shared/traces/', '../../shared/traces/'].map((path) =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url)),
)
const traces = ['web07', 'web12']

/** A crawler: every so many requests it walks through so many pages that nobody else asks for. */
const scanEvery = 4_000
const scanLength = 2_000

/** The traces that are there, and a made-up one; each as it is, with a scan mixed in, and with sizes. */
export async function workloads(say: (line: string) => void): Promise<Workload[]> {
  const found: [string, Trace][] = []
  for (const name of traces) {
    const path = folders.map((folder) => `${folder}${name}.trace.xz`).find(existsSync)
    if (path === undefined) say(`eviction: skipped ${name}: it is in none of ${folders.join(', ')}`)
    else found.push([name, await readTrace(path)])
  }
  found.push(['zipf 0.99', zipfTrace()])
  return found.flatMap(([name, trace]) => {
    const plain = trace.map((page) => ({ page, size: 1, isScan: false }))
    const sizeOf = logNormal(3)
    const sized = trace.map((page) => ({ page, size: sizeOf(page), isScan: false }))
    return [
      workload(name, 'as it is', plain),
      workload(name, 'with a scan', scanned(plain)),
      workload(name, 'by bytes', sized),
      workload(name, 'by bytes, with a scan', scanned(sized)),
    ]
  })
}

function workload(trace: string, kind: Workload['kind'], requests: readonly Request[]): Workload {
  const pages = new Map(requests.filter(({ isScan }) => !isScan).map(({ page, size }) => [page, size]))
  return { trace, kind, requests, total: [...pages.values()].reduce((sum, size) => sum + size, 0) }
}

function scanned(requests: readonly Request[]): Request[] {
  let nextPage = 1_000_000
  return requests.flatMap((request, i) => {
    if (i % scanEvery !== scanEvery - 1) return [request]
    const scan = Array.from({ length: scanLength }, (_, j) => ({
      page: nextPage++,
      size: requests[(i * 7 + j) % requests.length]!.size,
      isScan: true,
    }))
    return [request, ...scan]
  })
}

/** Sizes of a page, drawn once: a median of 1 KiB, one in forty above 20 KiB, nothing above 1 MiB. */
function logNormal(seed: number): (page: number) => number {
  const random = randomFrom(seed)
  const sizes = new Map<number, number>()
  return (page) => {
    const known = sizes.get(page)
    if (known !== undefined) return known
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const size = Math.min(2 ** 20, Math.ceil(1_024 * Math.exp(1.5 * normal)))
    sizes.set(page, size)
    return size
  }
}

import { hitRatio } from '../eviction/hit-ratio.js'
import { policies } from '../eviction/registry.js'
import type { Workload } from '../eviction/workloads.js'
import { kinds, workloads } from '../eviction/workloads.js'
import type { Table } from '../measure/table.js'
import type { Scenario } from './scenario.js'

/** Of all pages, or of all bytes. */
const shares = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25]

/** Arithmetic, no times: the same figures on every machine. */
export const eviction: Scenario = {
  name: 'eviction',
  async run({ say }) {
    const all = await workloads(say)
    const ratios = all.map((workload) =>
      policies.map((policy) => shares.map((share) => hitRatio(policy, workload, share))),
    )
    const meanAt = (workload: number, policy: number): number =>
      mean(ratios[workload]!.map((row) => row.map(({ requests }) => requests))[policy]!)
    const summary = table('Hit ratio: mean over traces and sizes', ['mean', ...kinds], (policy) => {
      const byKind = kinds.map((kind) =>
        mean(all.flatMap((each, i) => (each.kind === kind ? [meanAt(i, policy)] : []))),
      )
      return [mean(byKind), ...byKind]
    })
    const titles = ['mean', ...shares.map((share) => `${share * 100} %`), 'mean, of bytes']
    return [
      summary,
      ...all.map((workload, i) =>
        table(`Hit ratio: ${titleOf(workload)}`, titles, (policy) => {
          const row = ratios[i]![policy]!
          return [
            meanAt(i, policy),
            ...row.map(({ requests }) => requests),
            mean(row.map(({ bytes }) => bytes)),
          ]
        }),
      ),
    ]
  },
}

const titleOf = ({ trace, kind }: Workload): string => (kind === 'as it is' ? trace : `${trace}, ${kind}`)

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function table(title: string, columns: readonly string[], figures: (policy: number) => number[]): Table {
  return {
    title,
    columns: columns.map((each) => ({ title: each, unit: '%' })),
    isMoreBetter: true,
    rows: policies.map(({ name, isOurs = false }, policy) => ({
      who: name,
      isUs: isOurs,
      figures: figures(policy).map((median) => ({ median, spread: 0 })),
    })),
  }
}

import type { Verdict } from './judge.js'
import { verdicts } from './judge.js'

export interface HorizonCount {
  readonly horizonMs: number
  readonly counts: Readonly<Record<Verdict, number>>
  /** Inconsistent ones that their own promise did not allow. */
  readonly broken: number
}

/** How the answers at each horizon turned out, since the process began. */
export class Tally {
  readonly #rows: { horizonMs: number; counts: Record<Verdict, number>; broken: number }[]

  constructor(horizonsMs: readonly number[]) {
    this.#rows = horizonsMs.map((horizonMs) => ({
      horizonMs,
      counts: Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>,
      broken: 0,
    }))
  }

  count(horizonMs: number, verdict: Verdict, isBroken: boolean): void {
    const row = this.#rows.find((each) => each.horizonMs === horizonMs)!
    row.counts[verdict]++
    if (isBroken) row.broken++
  }

  get rows(): readonly HorizonCount[] {
    return this.#rows
  }
}

/** Of the answers of which it is known; null: of none. */
export function shareOf({ counts: { consistent, inconsistent } }: HorizonCount): number | null {
  const known = consistent + inconsistent
  return known === 0 ? null : inconsistent / known
}

import { percentile } from '../replay/percentile.js'

/** The median of some rounds, and how far they lay apart. */
export interface Figure {
  readonly median: number
  /** (highest − lowest) ÷ median. */
  readonly spread: number
}

export function figureOf(rounds: readonly number[]): Figure {
  const median = percentile([...rounds], 0.5)
  const spread = rounds.length < 2 ? 0 : (Math.max(...rounds) - Math.min(...rounds)) / median
  return { median, spread }
}

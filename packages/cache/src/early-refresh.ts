/**
 * XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
 *
 * Each hit draws whether it begins the next load: with u uniform in (0, 1], it does so iff
 * `timeLeft ≤ -cost × beta × ln u`. Callers and processes draw apart from each other, so that most often one of them is early
 * enough, and none waits. Far from the end the chance is nil: the hit path asks only from `earliestMs` on, where it is 2e-9.
 */

const leastLog = -20

/** From when on a value that ends at `expiresAtMs` is worth a draw. */
export const earliestMs = (expiresAtMs: number, costMs: number, beta: number): number =>
  expiresAtMs + leastLog * beta * costMs

/** `random`: in [0, 1). */
export const isEarly = (timeLeftMs: number, costMs: number, beta: number, random: () => number): boolean =>
  timeLeftMs <= -costMs * beta * Math.log(1 - random())

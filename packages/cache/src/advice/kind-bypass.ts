/**
 * A whole kind whose values are nearly never used: keys that are asked for once, lists under constant writes.
 *
 * The share is taken over the latest values of which it is known what became of them (used, or sunk or expired unused), the older half
 * weighing less and less. It enters below `shareToEnter` of `valuesToJudge` or more, and leaves above `shareToLeave`, five
 * times that, of the probes alone. Probes are drawn at random: many keys make one kind, and a fixed step would fall in with their
 * rhythm.
 */

export const valuesToJudge = 256
export const probesToJudge = 32
const shareToEnter = 0.02
const shareToLeave = 0.1
const probeChance = 1 / 16

const mostRemembered = 1_024

export class KindBypass {
  /** Since when, own monotonic clock; undefined: it is not bypassed. */
  sinceMs: number | undefined
  #ended = 0
  #used = 0
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** Gives whether the kind has entered or left. */
  ended(isUsed: boolean, nowMs: number): boolean {
    this.#ended++
    if (isUsed) this.#used++
    if (this.#ended > mostRemembered) {
      this.#ended /= 2
      this.#used /= 2
    }
    const share = this.#used / this.#ended
    if (this.sinceMs === undefined) {
      if (this.#ended < valuesToJudge || share >= shareToEnter) return false
      return this.#turn(nowMs)
    }
    return this.#ended >= probesToJudge && share > shareToLeave && this.#turn(undefined)
  }

  /** A load of the bypassed kind, or a batch of them, is about to begin: whether it is to be a probe. */
  drawProbe(): boolean {
    return this.#random() < probeChance
  }

  #turn(sinceMs: number | undefined): true {
    this.sinceMs = sinceMs
    this.#ended = 0
    this.#used = 0
    return true
  }
}

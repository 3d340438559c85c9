/**
 * Keys whose values sink before anybody uses them.
 *
 * A key enters after `valuesToEnter` values in a row have sunk unused, and leaves when `usesToLeave` probes in a row have
 * been used: it takes more to be bypassed than to be tried, and one use by chance does not bring a key back. While it is
 * bypassed, loads are probed in runs: `probesInRun` of every `probeEvery` are looked up and stored like any other. In runs, since
 * a value that is stored in the middle of its life may miss the use that one stored at its start would have had.
 *
 * Only keys of which a value has sunk unused are known here, and only so many: the one heard of longest ago is forgotten,
 * and is then cached like any other.
 */

export const valuesToEnter = 8
export const usesToLeave = 2
export const probeEvery = 48
export const probesInRun = 3

interface KnownKey {
  readonly kind: string
  /** Values that sank unused, in a row; while bypassed: probes that were used, in a row. */
  row: number
  isBypassed: boolean
  /** Loads since the last run of probes began. */
  skipped: number
  loadCostMs: number
}

type Changed = (key: string, kind: string, isBypassed: boolean) => void

export class KeyBypass {
  readonly #maxKeys: number
  readonly #changed: Changed
  readonly #known = new Map<string, KnownKey>()
  #bypassed = 0

  constructor(maxKeys: number, changed: Changed) {
    this.#maxKeys = maxKeys
    this.#changed = changed
  }

  /** How many keys are bypassed now. */
  get size(): number {
    return this.#bypassed
  }

  isBypassed(key: string): boolean {
    return this.#bypassed > 0 && this.#known.get(key)?.isBypassed === true
  }

  /** What the last load of a bypassed key cost. */
  loadCostOf(key: string): number {
    return this.#known.get(key)?.loadCostMs ?? 0
  }

  loaded(key: string, loadCostMs: number): void {
    const known = this.#bypassed > 0 ? this.#known.get(key) : undefined
    if (known !== undefined) known.loadCostMs = loadCostMs
  }

  /** A bypassed key is about to be loaded: whether this load is to be a probe. */
  drawProbe(key: string): boolean {
    const known = this.#known.get(key)!
    known.skipped = (known.skipped + 1) % probeEvery
    return known.skipped < probesInRun
  }

  sankUnused(key: string, kind: string, loadCostMs: number): void {
    let known = this.#known.get(key)
    if (known === undefined) known = { kind, row: 0, isBypassed: false, skipped: 0, loadCostMs }
    else this.#known.delete(key)
    this.#known.set(key, known)
    known.loadCostMs = loadCostMs
    if (known.isBypassed) known.row = 0
    else if (++known.row >= valuesToEnter) this.#turn(key, known, true)
    if (this.#known.size > this.#maxKeys) this.#forgetOldest()
  }

  used(key: string): void {
    const known = this.#known.size === 0 ? undefined : this.#known.get(key)
    if (known === undefined) return
    if (known.isBypassed && ++known.row < usesToLeave) return
    this.#known.delete(key)
    if (known.isBypassed) this.#turn(key, known, false)
  }

  clear(): void {
    this.#known.clear()
    this.#bypassed = 0
  }

  #turn(key: string, known: KnownKey, isBypassed: boolean): void {
    known.isBypassed = isBypassed
    known.row = 0
    known.skipped = probesInRun - 1
    this.#bypassed += isBypassed ? 1 : -1
    this.#changed(key, known.kind, isBypassed)
  }

  #forgetOldest(): void {
    const [key, known] = this.#known.entries().next().value!
    this.#known.delete(key)
    if (known.isBypassed) this.#turn(key, known, false)
  }
}

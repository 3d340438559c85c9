/**
 * Counts what clients ask for. A busy reader counts one request in several, drawn by chance, so that it costs a hit next to
 * nothing; a quiet one counts each.
 *
 * What the house asks of itself (`Tidemark-Purpose`) is not counted: a key that is warmed whenever it sinks would stay hot
 * for ever.
 */
import type { HotKey } from '@tidemark/log'
import { heatCardBounds } from '@tidemark/log'
import type { Registry } from '@tidemark/resources'
import { addressOf, tagsOf } from '@tidemark/resources'
import { HotSketch } from './hot-sketch.js'

/** A request as far as it is looked at. */
interface Asked {
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
}

export interface HeatMeterOptions {
  readonly registry: Registry
  readonly random?: () => number
  /** Milliseconds, monotonic. */
  readonly now?: () => number
}

/** Samples a second that are enough. */
const samplesPerSecond = 1_000
const strideMax = 64
const purpose = 'tidemark-purpose'

export class HeatMeter {
  readonly #sketch = new HotSketch()
  readonly #registry: Registry
  readonly #random: () => number
  readonly #now: () => number
  #stride = 1
  /** Requests until the next sample. */
  #left = 1
  #samples = 0
  #fadedAt: number

  constructor({ registry, random = Math.random, now = () => performance.now() }: HeatMeterOptions) {
    this.#registry = registry
    this.#random = random
    this.#now = now
    this.#fadedAt = now()
  }

  /** A GET came in. `held`: what the cache holds under its URL, if that was looked up. */
  note(asked: Asked, held: { readonly tags: readonly string[] } | undefined): void {
    if (--this.#left > 0) return
    this.#left = 1 + Math.floor(this.#random() * (2 * this.#stride - 1))
    this.#samples++
    const url = asked.url ?? ''
    if (url.length > heatCardBounds.keyLength || !url.startsWith('/v1/') || isOurOwn(asked.rawHeaders)) return
    this.#sketch.count(url, this.#stride, held?.tags)
  }

  /** The keys asked for most since some seconds; time passes by calling it. */
  hottest(): HotKey[] {
    const now = this.#now()
    const elapsedMs = Math.max(1, now - this.#fadedAt)
    this.#fadedAt = now
    this.#sketch.fade(elapsedMs)
    const perSecond = (this.#samples * this.#stride * 1_000) / elapsedMs
    this.#samples = 0
    this.#stride = Math.min(strideMax, Math.max(1, Math.ceil(perSecond / samplesPerSecond)))
    return this.#sketch.hottest(heatCardBounds.keys).flatMap(({ key, tags, heat }) => {
      const known = tags ?? this.#tagsOf(key)
      return known === undefined ? [] : [{ key, tags: known, heat }]
    })
  }

  /** Of a URL that no hit was sampled of; undefined: it is no key. */
  #tagsOf(url: string): readonly string[] | undefined {
    const address = addressOf(this.#registry, url)
    return address && tagsOf(address)
  }
}

function isOurOwn(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === purpose.length && name.toLowerCase() === purpose) return true
  }
  return false
}

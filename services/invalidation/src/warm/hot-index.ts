/**
 * The hot keys of all readers together, by what they depend on: which of them a change sinks is one look for each of its
 * tags. Bounded: the hottest.
 */
import type { HeatCard, HotKey } from '@tidemark/log'
import { everything } from '@tidemark/tide'

/** Keys held, of all readers together. */
const keysMax = 2_000

export class HotIndex {
  #keys = new Map<string, HotKey>()
  #byTag = new Map<string, HotKey[]>()

  /** Hottest first. */
  get all(): readonly HotKey[] {
    return [...this.#keys.values()]
  }

  get size(): number {
    return this.#keys.size
  }

  get(key: string): HotKey | undefined {
    return this.#keys.get(key)
  }

  /** Takes the place of what was known before. */
  renew(cards: readonly HeatCard[]): void {
    const union = new Map<string, HotKey>()
    for (const { key, tags, heat } of cards.flatMap(({ keys }) => keys)) {
      const known = union.get(key)
      // Readers that loaded the key at different times may know different tags of it.
      union.set(key, {
        key,
        tags: known === undefined ? tags : [...new Set([...known.tags, ...tags])],
        heat: heat + (known?.heat ?? 0),
      })
    }
    const hottest = [...union.values()].sort((one, other) => other.heat - one.heat).slice(0, keysMax)
    this.#keys = new Map(hottest.map((each) => [each.key, each]))
    this.#byTag = new Map()
    for (const each of hottest)
      for (const tag of each.tags) {
        const carriers = this.#byTag.get(tag)
        if (carriers === undefined) this.#byTag.set(tag, [each])
        else carriers.push(each)
      }
  }

  /** The hot keys that a change of these tags sinks. */
  sunkBy(tags: readonly string[]): readonly HotKey[] {
    if (tags.some((tag) => tag === everything || isOfNamespace(tag))) return this.all
    const sunk = new Set<HotKey>()
    for (const tag of tags) for (const each of this.#byTag.get(tag) ?? this.#named(tag)) sunk.add(each)
    return [...sunk]
  }

  /** `!namespace:key`: a value that was put or deleted by its key. */
  #named(tag: string): readonly HotKey[] {
    const named = tag.startsWith('!') ? this.#keys.get(tag.slice(tag.indexOf(':') + 1)) : undefined
    return named === undefined ? [] : [named]
  }
}

/** `!namespace`: a cache was cleared. Which one is not known here: warming what has not sunk costs a hit. */
const isOfNamespace = (tag: string): boolean => tag.startsWith('!') && !tag.includes(':')

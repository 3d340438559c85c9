/**
 * A Map for entries that come and go by the million, of which few are there at once.
 *
 * V8 lays a Map out in tables: when one is full, deleted entries included, the next is made, and the old one keeps a
 * pointer to it for iterators that are under way. Once one table has been moved to the old generation, every later one,
 * with all that it holds, hangs on that pointer and outlives its use until the next full collection: measured, a third of
 * the processor time of L2 hits went into copying the dead. A Map that is left behind in time takes its tables with it,
 * since no table points from one Map to another.
 */
export class PassingMap<K, V> {
  #map = new Map<K, V>()
  #sets = 0

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): void {
    this.#sets++
    if (this.#sets > leastSets && this.#sets > 2 * this.#map.size) {
      this.#map = new Map(this.#map)
      this.#sets = 0
    }
    this.#map.set(key, value)
  }

  delete(key: K): void {
    this.#map.delete(key)
  }
}

/** After so many a Map is left behind: far fewer than come between two collections of the young generation. */
const leastSets = 1_024

/**
 * What every value depends on without anyone having said so: its namespace and its key. Both are located with the value's
 * own tags and stored nowhere, since whoever looks a value up knows them. So deleting a key and clearing a namespace are one
 * change in the log each, whatever is held and by whom.
 *
 * They begin with `!`, which no resource's name does; a tag of the caller's that spells the same costs a false miss.
 */

import { keyTag, namespaceTag } from '@tidemark/tide'
import type { TagPlaces, TideTable } from '@tidemark/tide'

export class ImplicitTags {
  /** Touched when the namespace is cleared. */
  readonly namespace: string
  readonly #name: string
  readonly #table: TideTable
  readonly #nameOf: (key: string) => string

  /** `nameOf`: how a key is spelled outside of this process; the log is read by others. */
  constructor(table: TideTable, namespace: string, nameOf: (key: string) => string = (key) => key) {
    this.namespace = namespaceTag(namespace)
    this.#name = namespace
    this.#table = table
    this.#nameOf = nameOf
  }

  /** Touched when `key` is put or deleted. */
  key(key: string): string {
    return keyTag(this.#name, this.#nameOf(key))
  }

  /** Where everything that sinks `key`'s value lies. */
  locate(key: string, tags: readonly string[]): TagPlaces {
    return this.#table.locate([...tags, this.namespace, this.key(key)])
  }
}

import type { Footing } from './levels.js'
import type { Entry } from './entry.js'

/** What a look-up came to. */
export interface Found<T> {
  /** Its value is undefined where the loader gave none. */
  readonly entry: Entry<T | undefined>
  readonly from: 'l1' | 'l2' | 'load' | 'stale'
  readonly shared: boolean
  readonly footing: Footing
}

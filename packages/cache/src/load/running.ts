import type { Instant, Stamp } from '@tidemark/tide'

/** A load that others may wait for. */
export interface Running {
  /** Undefined until the origin is asked. */
  readonly beganAt: Instant | undefined
  readonly stamp: Stamp | undefined
  /** It will ask the origin, and not take a value from L2. */
  readonly isSureToLoad: boolean
}

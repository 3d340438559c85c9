import type { Offer } from './adapter.js'
import type { Scene } from './scene.js'
import type { Verdict } from './verdict.js'

/** One race as it is written down. */
export interface RaceScript {
  readonly id: string
  /** What happens. */
  readonly title: string
  /** What must hold though it happens. */
  readonly law: string
  readonly needs: readonly Offer[]
  /** Default 15 s; past it the race is lost. */
  readonly deadlineMs?: number
  play(scene: Scene): Promise<Verdict>
}

/** One race of one library, ready to run. */
export interface Race {
  readonly id: string
  readonly title: string
  readonly law: string
  /** Opens what it needs and closes it again; ends by its deadline, and never rejects. */
  run(): Promise<Verdict>
}

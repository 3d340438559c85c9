import type { Table } from '../measure/table.js'
import type { Verdicts } from '../measure/verdicts.js'
import type { Stage } from '../stage/stage.js'

export interface Scenario {
  readonly name: string
  run(stage: Stage): Promise<readonly (Table | Verdicts)[]>
}

import { backlog } from './backlog.js'
import { eviction } from './eviction.js'
import { fill } from './fill.js'
import { fresh } from './fresh.js'
import { httpHit } from './http-hit.js'
import { hung } from './hung.js'
import { l1Heap } from './l1-heap.js'
import { l1Hit } from './l1-hit.js'
import { l2Hit } from './l2-hit.js'
import { races } from './races.js'
import type { Scenario } from './scenario.js'
import { ship } from './ship.js'
import { stampede } from './stampede.js'
import { warm } from './warm.js'

export const scenarios: readonly Scenario[] = [
  l1Hit,
  l1Heap,
  l2Hit,
  fill,
  stampede,
  fresh,
  hung,
  races,
  httpHit,
  warm,
  eviction,
  ship,
  backlog,
]

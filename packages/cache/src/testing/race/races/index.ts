import type { RaceScript } from '../race.js'
import { clearEverywhere } from './clear.js'
import { invalidateCut, invalidateHung, invalidateRefused } from './invalidate-in-trouble.js'
import { joinOldLoad } from './join.js'
import { lateFill, lateFillOverPut, lateFillRedis } from './late-fill.js'
import { manyFenced } from './many.js'
import { heard, lostMessage, redelivered } from './messages.js'
import { hungRedis, killedSubscriber } from './redis-away.js'
import { refillLate, refillTtl, resurrected } from './refill.js'
import { deadLeader, stampedeProcess, stampedeProcesses } from './stampede.js'
import { tagDuringLoad } from './tag-during-load.js'
import { emptyValues } from './values.js'

/** In the order of docs/races.md. */
export const scripts: readonly RaceScript[] = [
  heard,
  lateFill,
  lateFillRedis,
  lateFillOverPut,
  joinOldLoad,
  tagDuringLoad,
  manyFenced,
  lostMessage,
  redelivered,
  clearEverywhere,
  refillTtl,
  refillLate,
  resurrected,
  invalidateCut,
  invalidateHung,
  invalidateRefused,
  stampedeProcess,
  stampedeProcesses,
  deadLeader,
  hungRedis,
  killedSubscriber,
  emptyValues,
]

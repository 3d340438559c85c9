/** Advice in words: numbers in, sentences out. What is said needs enough values behind it; below that nothing is said. */

import type { KindNumbers } from './advice.js'
import type { TagTally } from './tag-ledger.js'
import { amount, bytes, duration, share } from './units.js'

const enough = 20
const manyExpired = 0.3
const manyUnproven = 0.05
const manyRefilled = 0.2
const largeBytes = 100 * 1024
const enoughSunk = 50
const mostlySame = 0.5

export function isWorthCaching(of: KindNumbers): boolean | undefined {
  const isWorth = of.savedMsPerMinute > 0 && of.savedMsPerMinute >= of.spentMsPerMinute
  // What is bypassed is so because its values were known.
  if (of.ended + of.bypassedLoads >= enough) return isWorth
  // What is held and used a lot may never end.
  return isWorth && of.uses >= enough ? true : undefined
}

/** `name`: of the kind, for people. */
export const sayOfKind = (name: string, of: KindNumbers): string[] =>
  [sayWorth, sayTtl, sayMaxLag, sayL1, saySize].flatMap((say) => {
    const said = say(of)
    return said === undefined ? [] : [`${name}: ${said}`]
  })

function sayWorth(of: KindNumbers): string | undefined {
  const bypassed = of.bypassedForMs === undefined ? '' : `; bypassed for ${duration(of.bypassedForMs)}`
  const verdict = isWorthCaching(of)
  if (verdict === undefined)
    return of.ended + of.loads === 0
      ? undefined
      : `too little is known yet: ${amount(of.loads)} loads, ${amount(of.ended)} values ended${bypassed}`
  const money = `${duration(of.savedMsPerMinute)} of loads saved and ${duration(of.spentMsPerMinute)} spent per minute`
  return `${sayUnused(of)}; ${money}: ${verdict ? 'worth caching' : 'not worth caching'}${bypassed}`
}

function sayUnused({ ended, endedUnused, sunkUnused }: KindNumbers): string {
  if (ended === 0) return 'what is held is used'
  if (endedUnused === 0) return 'every value is used before it ends'
  return sunkUnused * 2 >= endedUnused
    ? `${share(sunkUnused, ended)} of values sink before they are used`
    : `${share(endedUnused, ended)} of values end before they are used`
}

function sayTtl({ expired, ended }: KindNumbers): string | undefined {
  if (expired < enough || expired < manyExpired * ended) return undefined
  return (
    `${share(expired, ended)} of values ended by their ttl and were loaded again though no change had touched them: ` +
    `they were still right; a longer ttl, or ttl: 'afloat', saves those loads`
  )
}

function sayMaxLag({ unproven, uses, unprovenLagMs, maxLagMs }: KindNumbers): string | undefined {
  if (unproven < enough || unproven < manyUnproven * (unproven + uses)) return undefined
  const trailed = unprovenLagMs === Infinity ? 'it could not be shown at all' : duration(unprovenLagMs)
  return (
    `${amount(unproven)} look-ups found a value that could not be shown to be recent enough: maxLag is ` +
    `${duration(maxLagMs)}, the lag was up to ${trailed}; a wider maxLag would have served them`
  )
}

function sayL1({ evicted, refilled }: KindNumbers): string | undefined {
  if (refilled < enough || refilled < manyRefilled * evicted) return undefined
  return `${share(refilled, Math.max(refilled, evicted))} of the values that made room in L1 were taken from L2 again: L1 is too small`
}

function saySize(of: KindNumbers): string | undefined {
  if (of.stored < enough || of.meanBytes < largeBytes) return undefined
  const minutes = of.overMs / 60_000
  const spentMs = (of.spentMsPerMinute * minutes) / of.stored
  if (spentMs * 2 < of.meanLoadMs) return undefined
  return (
    `values of ${bytes(of.meanBytes)} on average take ${duration(spentMs)} each to encode and to keep in Redis, a load ` +
    `takes ${duration(of.meanLoadMs)}: make them smaller, compress them, or keep them in L1 alone`
  )
}

/** Undefined: there is nothing to say of it. */
export function sayOfTag({ tag, sank, same }: TagTally): string | undefined {
  if (sank < enoughSunk || same < mostlySame * sank) return undefined
  return (
    `tag "${tag}": ${share(same, sank)} of the ${amount(sank)} values that it sank were loaded again to the same bytes: ` +
    `it is too broad for them; finer tags would have kept them`
  )
}

export const sayOfKeys = (bypassedKeys: number): string | undefined =>
  bypassedKeys === 0
    ? undefined
    : `${amount(bypassedKeys)} ${bypassedKeys === 1 ? 'key is' : 'keys are'} bypassed: their values sank before anybody used them`

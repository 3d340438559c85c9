/**
 * MessagePack that gives back what went in.
 *
 * msgpackr alone does not: without records a Map comes out as an object, -0 as 0, `__proto__` under another name, half a
 * surrogate pair as U+FFFD, an instance of a class without its class, a function as undefined. And records, which would
 * tell objects from Maps, are read by generated code: not from bytes that anyone may have written. So a walk goes before
 * the packing (see dress.ts): it refuses what cannot be given back, and dresses what MessagePack lacks in what it has.
 * A value that needs no dress, as nearly all do, is packed as it is and read without a second walk; a dressed one
 * stands in a Set, which a plain one never does.
 */

import { Packr, Unpackr } from 'msgpackr'

import type { Codec } from './codec.js'
import { dress, undress } from './dress.js'

/**
 * Not kept: which parts were one and the same object (each comes back as a copy of its own), frozenness, property
 * attributes, properties that are named by symbols or stand on arrays, Maps and the like, and the stack of an error.
 *
 * @throws TypeError from `encode` for functions, symbols, instances of classes, holes in arrays, cycles
 */
export function msgpackCodec(): Codec {
  const packr = new Packr({ useRecords: false, moreTypes: true, useToJSON: false })
  const unpackr = plainUnpackr()
  return {
    // 2 was MessagePack without the dress.
    id: 4,
    encode: (value) => {
      const dressed = dress(value)
      return packr.pack(dressed === value ? value : new Set([dressed]))
    },
    decode: (payload): unknown => {
      const value: unknown = unpackr.unpack(payload)
      return value instanceof Set ? undress(theOnly(value)) : value
    },
  }
}

/**
 * Reads data and nothing else, whatever the bytes say. msgpackr obeys a record definition in the bytes even where
 * `useRecords` is false; since it must first note the definition, a frozen list of them makes that throw.
 */
function plainUnpackr(): Unpackr {
  const structures: object[] = []
  const options = {
    useRecords: false,
    moreTypes: true,
    copyBuffers: true,
    structuredClone: false,
    structures,
  }
  const unpackr = new Unpackr(options)
  Object.freeze(structures)
  return unpackr
}

function theOnly(set: ReadonlySet<unknown>): unknown {
  if (set.size !== 1) throw new TypeError('not written by the MessagePack codec')
  const [only] = set
  return only
}

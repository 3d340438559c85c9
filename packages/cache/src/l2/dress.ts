/**
 * Values that MessagePack has no word for, said in words that it has.
 *
 * `dress` walks a value and gives it back itself where all of it can be packed as it is; else a copy in which each part
 * that cannot be stands as a Set of one list: what it is, and what it is made of. A real Set is dressed too, so every Set
 * in a dressed value is a dress, and `undress` needs no other sign. The numbers of the kinds are stored: never reuse one.
 *
 * What is neither data nor has a dress is refused with a TypeError: a function, a symbol, an instance of a class (its
 * prototype would be lost), a hole in an array, and whatever goes deeper than `maxDepth`, as a cycle does.
 */

import { bytesOf, errorParts, makeBytes, makeError, makeObject } from './dress-kinds.js'
import { isWhole } from './whole-text.js'

/** Deeper than data is, and far from the end of the stack. */
const maxDepth = 500
/** msgpackr counts them in 16 bits, which is quicker than to count them first. */
const maxProperties = 0xffff

const kinds = {
  minusZero: 0,
  brokenText: 1,
  map: 2,
  set: 3,
  bytes: 4,
  object: 5,
  regExp: 6,
  error: 7,
} as const

/** What most properties are, told without a call. */
const isPlain = (part: unknown): boolean =>
  typeof part === 'string' ? isWhole(part) : typeof part === 'number' ? part !== 0 : typeof part === 'boolean'

/** @throws TypeError for what could not be given back */
export const dress = (value: unknown): unknown => dressPart(value, 0)

function dressPart(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return isWhole(value) ? value : dressed(kinds.brokenText, [Buffer.from(value, 'utf16le')])
    case 'number':
      return Object.is(value, -0) ? dressed(kinds.minusZero, []) : value
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return value
    case 'object':
      return value === null ? value : dressObject(value, depth + 1)
    default:
      throw cannot(typeof value)
  }
}

function dressObject(value: object, depth: number): unknown {
  if (depth > maxDepth) throw cannot(`something deeper than ${maxDepth} levels, or a cycle`)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return dressProperties(value as Record<string, unknown>, depth)
  if (prototype === Array.prototype) return dressItems(value as unknown[], depth)
  if (prototype === Date.prototype || prototype === Buffer.prototype) return value
  if (prototype === null) return dressed(kinds.object, [true, ...all(Object.entries(value).flat(), depth)])
  if (prototype === Map.prototype)
    return dressed(kinds.map, all([...(value as Map<unknown, unknown>)].flat(), depth))
  if (prototype === Set.prototype) return dressed(kinds.set, all(value as Set<unknown>, depth))
  if (prototype === RegExp.prototype) {
    const { source, flags, lastIndex } = value as RegExp
    return dressed(kinds.regExp, all([source, flags, lastIndex], depth))
  }
  const bytes = bytesOf(value, prototype)
  if (bytes !== undefined) return dressed(kinds.bytes, bytes)
  const parts = errorParts(value, prototype)
  if (parts !== undefined) return dressed(kinds.error, all(parts, depth))
  throw cannot('an instance of a class')
}

const all = (parts: Iterable<unknown>, depth: number): unknown[] =>
  Array.from(parts, (part) => dressPart(part, depth))

function dressProperties(value: Record<string, unknown>, depth: number): unknown {
  let copy: Record<string, unknown> | undefined
  let count = 0
  for (const name in value) {
    if (name === '__proto__' || !isWhole(name) || ++count > maxProperties)
      return dressed(kinds.object, [false, ...all(Object.entries(value).flat(), depth)])
    const part = value[name]
    if (isPlain(part)) continue
    const worn = dressPart(part, depth)
    if (!Object.is(worn, part)) {
      copy ??= { ...value }
      copy[name] = worn
    }
  }
  return copy ?? value
}

function dressItems(value: unknown[], depth: number): unknown {
  let copy: unknown[] | undefined
  for (let i = 0; i < value.length; i++) {
    const part = value[i]
    if (isPlain(part)) continue
    if (part === undefined && !(i in value)) throw cannot('a hole in an array')
    const worn = dressPart(part, depth)
    if (!Object.is(worn, part)) {
      copy ??= value.slice()
      copy[i] = worn
    }
  }
  return copy ?? value
}

/** Takes `value`, which nobody else has, apart and puts it together again. @throws for what `dress` did not write */
export function undress(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = undress(value[i])
    return value
  }
  if (value instanceof Set) return undressed(value)
  if (value instanceof Date || Buffer.isBuffer(value)) return value
  const properties = value as Record<string, unknown>
  for (const name in properties) properties[name] = undress(properties[name])
  return properties
}

function undressed(dress: ReadonlySet<unknown>): unknown {
  const [list] = dress
  if (dress.size !== 1 || !Array.isArray(list)) throw cannot('what is no dress')
  const [kind, ...worn] = list as unknown[]
  const parts = worn.map(undress)
  switch (kind) {
    case kinds.minusZero:
      return -0
    case kinds.brokenText:
      return (parts[0] as Buffer).toString('utf16le')
    case kinds.map:
      return new Map(pairs(parts))
    case kinds.set:
      return new Set(parts)
    case kinds.bytes:
      return makeBytes(parts)
    case kinds.object:
      return makeObject(parts[0] === true, pairs(parts.slice(1)))
    case kinds.regExp:
      return Object.assign(new RegExp(parts[0] as string, parts[1] as string), { lastIndex: parts[2] })
    case kinds.error:
      return makeError(parts)
    default:
      throw cannot(`a dress of kind ${String(kind)}`)
  }
}

function pairs(parts: readonly unknown[]): [unknown, unknown][] {
  const all: [unknown, unknown][] = []
  for (let i = 0; i < parts.length; i += 2) all.push([parts[i], parts[i + 1]])
  return all
}

const dressed = (kind: number, parts: readonly unknown[]): unknown => new Set([[kind, ...parts]])

const cannot = (what: string): TypeError => new TypeError(`the MessagePack codec cannot give back ${what}`)

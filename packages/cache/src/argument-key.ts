/**
 * A text for the arguments of a call: two calls have the same one only where their arguments are alike in every way that a
 * function could see. What that cannot be said of (functions, symbols, instances of classes, things that refer to themselves)
 * is refused, since a key that does not tell two calls apart hands one the other's value. Where there is doubt, two texts: a
 * property that is `undefined` and one that is not there differ, and so do two Maps filled in another order.
 */

import { createHash } from 'node:crypto'

import { bad } from './options.js'

const maxLength = 256
const maxDepth = 32

/** At most a few hundred characters: a longer text is replaced by its SHA-256. @throws CacheError 'cache.bad-option' */
export function argumentKey(args: readonly unknown[]): string {
  const text = args.map((arg, i) => textOf(arg, `argument ${i}`, 0)).join(',')
  return text.length <= maxLength ? text : `#${createHash('sha256').update(text).digest('base64url')}`
}

function textOf(value: unknown, where: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      return value === null ? 'null' : objectText(value, where, depth + 1)
    default:
      throw refusal(where, `a ${typeof value}`)
  }
}

function objectText(value: object, where: string, depth: number): string {
  if (depth > maxDepth) throw refusal(where, 'something that is nested too deep, or in itself')
  const inner = (each: unknown): string => textOf(each, where, depth)
  const all = (each: Iterable<unknown>): string => [...each].map(inner).join(',')
  switch (Object.getPrototypeOf(value)) {
    case null:
      return `null{${fields(value, where, depth)}}`
    case Object.prototype:
      return `{${fields(value, where, depth)}}`
    case Array.prototype:
      return `[${elements(value as unknown[], where, depth)}]`
    case Date.prototype:
      return `Date(${plain(value, where, (value as Date).getTime())})`
    case Map.prototype:
      return `Map(${plain(value, where, all([...(value as Map<unknown, unknown>)].flat(1)))})`
    case Set.prototype:
      return `Set(${plain(value, where, all(value as Set<unknown>))})`
    case URL.prototype:
      return `URL(${inner((value as URL).href)})`
    case Buffer.prototype:
    case Uint8Array.prototype:
      return `${value.constructor.name}(${Buffer.from(value as Uint8Array).toString('base64url')})`
    default:
      throw refusal(where, `an instance of ${value.constructor?.name || 'a class'}`)
  }
}

function fields(value: object, where: string, depth: number): string {
  return Reflect.ownKeys(value)
    .map((key) => {
      if (typeof key === 'symbol') throw refusal(where, 'an object with a symbol for a key')
      const field = Object.getOwnPropertyDescriptor(value, key)!
      if (field.enumerable !== true || !('value' in field))
        throw refusal(where, 'an object with a getter or a hidden property')
      return `${JSON.stringify(key)}:${textOf(field.value, where, depth)}`
    })
    .sort()
    .join(',')
}

function elements(value: readonly unknown[], where: string, depth: number): string {
  // Its indices and its length: no holes, and nothing beside.
  if (Reflect.ownKeys(value).length !== value.length + 1 || Object.keys(value).length !== value.length)
    throw refusal(where, 'an array with holes or with properties')
  return value.map((each) => textOf(each, where, depth)).join(',')
}

/** `text`, if `value` has nothing that the text does not say. */
function plain(value: object, where: string, text: string | number): string | number {
  if (Reflect.ownKeys(value).length > 0)
    throw refusal(where, 'an object with properties that are not its own')
  return text
}

const refusal = (where: string, what: string): Error =>
  bad(`key: ${where} is or holds ${what}, of which no key can be made; give a \`key\` function`)

/** The dresses that need more than a line: bytes of every kind, errors, and objects whose properties are set by name. */

import { endianness } from 'node:os'

/** The places in this list are stored: add at the end alone. */
const byteKinds = [
  ArrayBuffer,
  DataView,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
] as const
const byteKindOf = new Map<unknown, number>(byteKinds.map(({ prototype }, i) => [prototype, i]))
const lastOfOneByte = 4

/** The place in the list, and the bytes as they lie; undefined: it is no bytes. */
export function bytesOf(value: object, prototype: unknown): [kind: number, bytes: Buffer] | undefined {
  const kind = byteKindOf.get(prototype)
  if (kind === undefined) return undefined
  if (kind > lastOfOneByte && endianness() !== 'LE')
    throw new TypeError('typed arrays are stored little-endian, and this machine is not')
  if (value instanceof ArrayBuffer) return [kind, Buffer.from(value)]
  const view = value as Uint8Array
  return [kind, Buffer.from(view.buffer, view.byteOffset, view.byteLength)]
}

export function makeBytes([kind, bytes]: readonly unknown[]): unknown {
  const make = byteKinds[kind as number]
  if (make === undefined || !Buffer.isBuffer(bytes)) throw new TypeError('not the bytes of a typed array')
  // Memory of their own: they lie at any offset, and in a buffer that others use.
  const own = new Uint8Array(bytes).buffer
  return make === ArrayBuffer ? own : new (make as typeof DataView)(own)
}

/** The classes whose prototype every process has; any other's would be lost. */
const errorClasses = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const
const errorKindOf = new Map<unknown, number>(errorClasses.map(({ prototype }, i) => [prototype, i]))

/**
 * The place in the list, then name, value and whether it is enumerable of each own property: message, cause, a code, a
 * name that was set. Not the stack: it tells of this machine, and is most of the bytes.
 */
export function errorParts(value: object, prototype: unknown): unknown[] | undefined {
  const kind = errorKindOf.get(prototype)
  if (kind === undefined) return undefined
  const parts: unknown[] = [kind]
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (name === 'stack') continue
    if (!('value' in property)) throw new TypeError('the MessagePack codec cannot give back an accessor')
    parts.push(name, property.value, property.enumerable === true)
  }
  return parts
}

export function makeError([kind, ...parts]: readonly unknown[]): Error {
  const make = errorClasses[kind as number]
  if (make === undefined) throw new TypeError('not the parts of an error')
  const error = make === AggregateError ? new make([]) : new (make as ErrorConstructor)()
  for (let i = 0; i < parts.length; i += 3)
    define(error, parts[i] as string, parts[i + 1], parts[i + 2] === true)
  define(error, 'stack', `${error.name}: ${error.message}`, false)
  return error
}

/** Each property is defined, not assigned: `__proto__` is a name like any other. */
export function makeObject(isBare: boolean, properties: Iterable<[unknown, unknown]>): object {
  const object: object = isBare ? (Object.create(null) as object) : {}
  for (const [name, value] of properties) define(object, name as string, value, true)
  return object
}

const define = (object: object, name: string, value: unknown, enumerable: boolean): void => {
  Object.defineProperty(object, name, { value, enumerable, writable: true, configurable: true })
}

/**
 * Names that a change can touch and a value can depend on. The capture triggers in Postgres write the same text, so
 * these five lines and `tidemark.capture()` are one contract. Where the two spell a value differently, the value's tag is
 * never touched and it never sinks: so a number that is not an exact integer is refused with a RangeError (Postgres
 * spells 1.5 of numeric(10,2) as 1.50), and every other type is the caller's to spell as Postgres does.
 */

/** Everything there is: touching it raises `base`. */
export const everything = '*'

/** `product:42`: one entity. */
export const entityTag = (name: string, id: string | number): string => `${name}:${spell(name, id)}`

/** `product`: any list of the resource. */
export const listTag = (name: string): string => name

/** `product.categoryId=7`: what a list filtered by a facet depends on, or a look-up by a unique field. */
export const facetTag = (name: string, field: string, value: string | number | boolean): string =>
  `${name}.${field}=${spell(`${name}.${field}`, value)}`

/** `product!all`: carried by every value of the resource; touched by bulk changes. */
export const allTag = (name: string): string => `${name}!all`

/** `product` for each of its tags above; undefined for `*` and for a tag that belongs to no resource. */
export const resourceOf = (tag: string): string | undefined =>
  /^[A-Za-z][A-Za-z0-9]*(?=[:.!]|$)/.exec(tag)?.[0]

/**
 * What every value of a cache depends on without anyone having said so: its namespace and its key. They begin with `!`, which
 * no resource's name does. `key`: as it is spelled outside of the process that holds it.
 */
export const namespaceTag = (namespace: string): string => `!${namespace}`
export const keyTag = (namespace: string, key: string): string => `!${namespace}:${key}`

function spell(of: string, value: string | number | boolean): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError(`${of}: ${value} is not an exact integer; give the text that Postgres spells`)
  return String(value)
}

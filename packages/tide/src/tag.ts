/**
 * Names that a change can touch and a value can depend on. The capture triggers in Postgres write the same text, so
 * these five lines and `tidemark.capture()` are one contract.
 */

/** Everything there is: touching it raises `base`. */
export const everything = '*'

/** `product:42`: one entity. */
export const entityTag = (name: string, id: string | number): string => `${name}:${id}`

/** `product`: any list of the resource. */
export const listTag = (name: string): string => name

/** `product.categoryId=7`: what a list filtered by a facet depends on, or a look-up by a unique field. */
export const facetTag = (name: string, field: string, value: string | number | boolean): string =>
  `${name}.${field}=${value}`

/** `product!all`: carried by every value of the resource; touched by bulk changes. */
export const allTag = (name: string): string => `${name}!all`

/**
 * Where a list of tags lies in one tide table, as each cached value carries it for as long as it is held.
 *
 * It is a string of 16-bit units: the table's seed in two, then three for each tag: number of its bucket (24 bits) and
 * fingerprint. A string is the leanest immutable array of such units that JavaScript has: 16 bytes and 2 a unit, where a
 * typed array begins at some 150; for the few tags of a value that is most of what it costs to hold it.
 */

declare const brand: unique symbol

/** Opaque; made by `TideTable.locate` once for each value. */
export type TagPlaces = string & { readonly [brand]: 'TagPlaces' }

export const firstPlace = 2
export const unitsPerPlace = 3
/** Arguments of one call; more tags than that are put together from parts. */
const mostAtOnce = 4_095

export const seedAt = (places: TagPlaces): number =>
  (places.charCodeAt(0) | (places.charCodeAt(1) << 16)) >>> 0

/** Number of the bucket of the tag whose place begins at unit `at`. */
export const bucketAt = (places: TagPlaces, at: number): number =>
  places.charCodeAt(at) | (places.charCodeAt(at + 1) << 16)

export const fingerprintAt = (places: TagPlaces, at: number): number => places.charCodeAt(at + 2)

/** `bucketsAndFingerprints`: of each tag, in turn. */
export function packPlaces(seed: number, bucketsAndFingerprints: readonly number[]): TagPlaces {
  const units = [seed & 0xffff, seed >>> 16]
  for (let i = 0; i < bucketsAndFingerprints.length; i += 2) {
    const bucket = bucketsAndFingerprints[i]!
    units.push(bucket & 0xffff, bucket >>> 16, bucketsAndFingerprints[i + 1]!)
  }
  if (units.length <= mostAtOnce) return String.fromCharCode(...units) as TagPlaces
  let text = ''
  for (let i = 0; i < units.length; i += mostAtOnce)
    text += String.fromCharCode(...units.slice(i, i + mostAtOnce))
  return text as TagPlaces
}

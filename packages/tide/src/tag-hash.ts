/**
 * Two independent 32-bit hashes of a tag, seeded. Murmur3's mixing over UTF-16 code units: quick in JavaScript, and a
 * collision costs a false miss, never a stale answer, so strength against an adversary is not its task; the seed is
 * random per deployment so that nobody can aim at one bucket for long.
 */
export function hashTag(tag: string, seed: number, into: Uint32Array): void {
  let a = 0x9e3779b9 ^ seed
  let b = 0x85ebca6b ^ Math.imul(seed, 0x27d4eb2f)
  for (let i = 0; i < tag.length; i++) {
    const unit = tag.charCodeAt(i)
    a = Math.imul(a ^ unit, 0xcc9e2d51)
    a = (a << 13) | (a >>> 19)
    b = Math.imul(b ^ unit, 0x1b873593)
    b = (b << 15) | (b >>> 17)
  }
  into[0] = finish(a ^ tag.length)
  into[1] = finish(b ^ Math.imul(tag.length, 0x165667b1))
}

function finish(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

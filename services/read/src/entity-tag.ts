const weak = (tag: string): string => (tag.startsWith('W/') ? tag.slice(2) : tag)

/** Whether `If-None-Match` names this entity tag (RFC 9110 §13.1.2: weak comparison, a list, or `*`). */
export function isMatched(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true
  const tags = ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []
  return tags.some((tag) => weak(tag) === weak(etag))
}

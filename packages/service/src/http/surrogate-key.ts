import { createHash } from 'node:crypto'

const lengthMax = 200

/**
 * A tag as it stands in a `Surrogate-Key` header, between blanks: `product:42` stays as it is, other bytes than letters,
 * digits and `- _ . : = ! *` are percent-encoded, and what is then too long is a digest with `~` before it. An answer and the
 * purge of it must spell it alike, so this is the one place.
 */
export function surrogateKey(tag: string): string {
  if (/^[A-Za-z0-9._:=!*-]{1,200}$/.test(tag)) return tag
  const encoded = encodeURIComponent(tag)
    .replace(/[~'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
    .replaceAll('%3D', '=')
  if (encoded.length <= lengthMax) return encoded
  return `~${createHash('sha256').update(tag).digest('base64url')}`
}

/** Past this many parts the rest is taken to be like what was seen: a bound on the work, not on the value. */
const maxParts = 2_000
const bytesPerPart = 16

/**
 * About how many bytes of heap `value` takes, where nothing was encoded that would tell: a walk over its parts, each
 * counted as often as it is met. A part that cannot be looked into, such as one with a getter that throws, ends it.
 */
export function estimateBytes(value: unknown): number {
  const pending: unknown[] = [value]
  try {
    return sizeOf(pending)
  } catch {
    return bytesPerPart * (pending.length + 1)
  }
}

function sizeOf(pending: unknown[]): number {
  let bytes = 0
  for (let parts = 0; pending.length > 0; parts++) {
    if (parts === maxParts) return Math.ceil(bytes * (1 + pending.length / maxParts))
    const part = pending.pop()
    bytes += bytesPerPart
    if (typeof part === 'string') bytes += part.length
    else if (ArrayBuffer.isView(part)) bytes += part.byteLength
    else if (Array.isArray(part)) for (const item of part) pending.push(item)
    else if (part instanceof Map || part instanceof Set)
      for (const item of part.entries()) pending.push(item[0], item[1])
    else if (typeof part === 'object' && part !== null)
      for (const item of Object.values(part)) pending.push(item)
  }
  return bytes
}

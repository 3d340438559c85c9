/** The body to its end, so that the connection serves again. @throws where it is longer */
export async function wholeBody({ body }: Response, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body ?? []) {
    bytes += (part as Uint8Array).byteLength
    if (bytes > maxBytes) throw new Error(`an answer of more than ${String(maxBytes)} bytes`)
    parts.push(part as Uint8Array)
  }
  return Buffer.concat(parts)
}

/** Past the bound a look may be late by itself on a busy machine: the one that began too late decides. */
const everyMs = 10

/**
 * Looks until the change is seen. Call it when the change is committed: a look that *began* more than `boundMs` later
 * and does not see it breaks the promise, however busy the machine is.
 */
export async function seenWithin(boundMs: number, look: () => Promise<boolean>): Promise<void> {
  const sinceMs = performance.now()
  for (;;) {
    const afterMs = performance.now() - sinceMs
    if (await look()) return
    if (afterMs > boundMs) throw new Error(`not seen ${Math.round(afterMs)} ms after it was committed`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

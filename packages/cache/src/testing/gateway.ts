/** A promise and its handles: a load that the test ends when it likes. */
export interface Gateway<T> {
  readonly promise: Promise<T>
  readonly open: (value: T) => void
  readonly fail: (error: Error) => void
}

/** @example const load = gateway<string>(); const asked = cache.getOrSet({ key, load: () => load.promise }); load.open('v1') */
export function gateway<T>(): Gateway<T> {
  let open!: (value: T) => void
  let fail!: (error: Error) => void
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

/** Lets everything that can go on without time or I/O go on. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** What has been started, ended in reverse order, once; one that fails to end does not keep the others from it. */
export interface StopStack {
  push(stop: () => Promise<void>): void
  /** The second and later calls wait for the first. */
  unwind(): Promise<void>
}

export function createStopStack(onError: (error: unknown) => void): StopStack {
  const stops: (() => Promise<void>)[] = []
  let unwinding: Promise<void> | undefined
  const run = async (): Promise<void> => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await stop().catch(onError)
  }
  return {
    push(stop) {
      stops.push(stop)
    },
    unwind() {
      unwinding ??= run()
      return unwinding
    },
  }
}

/**
 * Concurrent calls share runs, one at a time.
 *
 * Invariant: a call is answered by a run that began after the call did. So a call joins the run that waits, never the
 * one that is under way: that one may already have looked at the store before the caller's commit.
 *
 * At most one run is under way and one waits, however many call.
 */
export function joinRuns<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let waiting: Promise<T> | undefined

  const begin = (): Promise<T> => {
    waiting = undefined
    const mine = run()
    running = mine
    const ended = (): void => {
      if (running === mine) running = undefined
    }
    mine.then(ended, ended)
    return mine
  }

  return () => {
    if (waiting !== undefined) return waiting
    if (running === undefined) return begin()
    waiting = running.then(begin, begin)
    return waiting
  }
}

/**
 * Failures of the queues. `jobs.unreachable`: their Redis gave no answer in time, or refused; what was asked may have been
 * done all the same.
 */
export class JobsError extends Error {
  override readonly name = 'JobsError'
  readonly code = 'jobs.unreachable'
}

/** For each call to the Redis of the queues: BullMQ itself would wait for it for ever. */
const deadlineMs = 2_000

/** `call`, or JobsError. */
export async function inTime<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new JobsError(`the Redis of the job queues gave no answer within ${String(deadlineMs)} ms`))
    }, deadlineMs)
  })
  try {
    return await Promise.race([call, late])
  } catch (error) {
    if (error instanceof JobsError) throw error
    throw new JobsError(`the Redis of the job queues refused: ${String((error as Error).message)}`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}

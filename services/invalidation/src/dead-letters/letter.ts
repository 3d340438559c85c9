/** A dead letter as it is shown: a job that failed for good. Secrets are never in a job. */
import type { Job } from 'bullmq'
import { z } from 'zod'
import type { QueueName } from '../jobs/jobs.js'

export const letterSchema = z.object({
  queue: z.string(),
  id: z.string(),
  error: z.string().describe('What its last attempt met.'),
  attempts: z.int().describe('Made so far.'),
  createdAt: z.iso.datetime(),
  failedAt: z.iso.datetime().nullable(),
})

export const fullLetterSchema = letterSchema.extend({
  data: z.unknown().describe('What was to be done.'),
  attemptsAllowed: z.int(),
})

export type Letter = z.output<typeof letterSchema>

export const letterOf = (queue: QueueName, job: Job): Letter => ({
  queue,
  id: job.id!,
  error: job.failedReason ?? '',
  attempts: job.attemptsMade,
  createdAt: new Date(job.timestamp).toISOString(),
  failedAt: job.finishedOn === undefined ? null : new Date(job.finishedOn).toISOString(),
})

export const fullLetterOf = (queue: QueueName, job: Job): z.output<typeof fullLetterSchema> => ({
  ...letterOf(queue, job),
  data: job.data as unknown,
  attemptsAllowed: job.opts.attempts ?? 1,
})

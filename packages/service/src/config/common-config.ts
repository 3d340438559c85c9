import { z } from 'zod'
import { duration, logLevel, port } from './fields.js'

/**
 * What every service reads from its environment; each extends it with its own.
 * Durations are written for people and arrive in milliseconds.
 */
export const commonConfig = z.object({
  PORT: port(),
  HOST: z.string().min(1).max(253).default('0.0.0.0'),
  LOG_LEVEL: logLevel().default('info'),
  STARTUP_TIMEOUT: duration({ min: '100ms', max: '1h' }).prefault('30s'),
  SHUTDOWN_TIMEOUT: duration({ min: '100ms', max: '1h' }).prefault('10s'),
  TIDEMARK_PREFIX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/i, "must be 1 to 40 letters, digits, '-' or '_'")
    .default('tidemark'),
})

export type CommonConfig = z.output<typeof commonConfig>

import { ServiceError } from '../service-error.js'

/** One wrong variable: what was given (redacted, or undefined when it is not set) and what is allowed. */
export interface ConfigMistake {
  readonly variable: string
  readonly given: string | undefined
  readonly allowed: string
}

/** The configuration is wrong. The message names every mistake, one per line, and never a secret. */
export class ConfigError extends ServiceError {
  readonly mistakes: readonly ConfigMistake[]

  constructor(mistakes: readonly ConfigMistake[]) {
    const count = mistakes.length === 1 ? '1 mistake' : `${String(mistakes.length)} mistakes`
    super('config_invalid', [`The configuration has ${count}:`, ...mistakes.map(line)].join('\n'))
    this.name = 'ConfigError'
    this.mistakes = mistakes
  }
}

function line({ variable, given, allowed }: ConfigMistake): string {
  return given === undefined
    ? `  ${variable} is not set: ${allowed}`
    : `  ${variable} is ${given}: ${allowed}`
}

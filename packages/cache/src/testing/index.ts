export type { Gateway } from './gateway.js'
export { gateway, settle } from './gateway.js'
export type { HandLogOptions } from './hand-log.js'
export { HandLog, handLog } from './hand-log.js'

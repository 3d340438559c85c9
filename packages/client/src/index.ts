export type { ClientErrorCode } from './client-error.js'
export { ClientError } from './client-error.js'

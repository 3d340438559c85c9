export type CacheErrorCode =
  | 'cache.bad-option' // an option or a request that makes no sense; the message names it
  | 'cache.load-failed' // the loader said so, with `fail`
  | 'cache.load-timeout' // the load did not end within `hardTimeout`
  | 'cache.overloaded' // too many loads at once, and too many waiting
  | 'cache.token-unknown' // the token names a position that the log does not have
  | 'cache.unavailable' // the level asked for cannot be kept now: neither the log nor the origin answers
  | 'cache.no-invalidation' // `invalidate` was called on a cache made without that port
  | 'cache.closed'

/** Everything this package throws of its own. A loader's error is not wrapped: callers get what their loader threw. */
export class CacheError extends Error {
  readonly code: CacheErrorCode

  constructor(code: CacheErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CacheError'
    this.code = code
  }
}

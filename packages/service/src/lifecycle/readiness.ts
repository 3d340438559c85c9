/**
 * starting → ready → draining. Only forwards: a service that drains never becomes ready again.
 * A service that is told to stop while it starts goes from starting to draining.
 */
export type ReadinessState = 'starting' | 'ready' | 'draining'

export interface Readiness {
  readonly state: ReadinessState
  readonly isReady: boolean
  /** Ignored when the service is draining already. */
  ready(): void
  drain(): void
}

export function createReadiness(): Readiness {
  let state: ReadinessState = 'starting'
  return {
    get state() {
      return state
    },
    get isReady() {
      return state === 'ready'
    },
    ready() {
      if (state === 'starting') state = 'ready'
    },
    drain() {
      state = 'draining'
    },
  }
}

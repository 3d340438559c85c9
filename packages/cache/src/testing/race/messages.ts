import type { RaceSetup } from './adapter.js'

/** What a race tells a process of its own, and what that answers. The origin stays with the race. */
export type ToProcess =
  | { readonly kind: 'open'; readonly id: number; readonly setup: RaceSetup }
  | { readonly kind: 'ask'; readonly id: number; readonly key: string; readonly callers: number }
  | { readonly kind: 'loaded'; readonly load: number; readonly value: unknown }

export type FromProcess =
  | { readonly kind: 'done'; readonly id: number; readonly values: readonly unknown[] }
  | { readonly kind: 'failed'; readonly id: number; readonly why: string }
  | { readonly kind: 'load'; readonly load: number; readonly key: string }

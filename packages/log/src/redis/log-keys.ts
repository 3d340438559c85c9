/** The keys of one log in Redis. The braces keep them in one Cluster slot, so that one script may touch them all. */
export interface LogKeys {
  /** Stream: the copy of the log. */
  readonly log: string
  /** Hash: whose the stream is and where it ends, where Redis itself numbers the log. */
  readonly clock: string
  /** Hash: the counter that followers ask at. */
  readonly ask: string
  /** One binary value. */
  readonly checkpoint: string
  /** Hash: what each follower says of itself. */
  readonly followers: string
  /** Hash: what each reader is asked for most. */
  readonly heat: string
}

export const logKeys = (prefix = 'tidemark'): LogKeys => ({
  log: `{${prefix}}:log`,
  clock: `{${prefix}}:clock`,
  ask: `{${prefix}}:ask`,
  checkpoint: `{${prefix}}:checkpoint`,
  followers: `{${prefix}}:followers`,
  heat: `{${prefix}}:heat`,
})

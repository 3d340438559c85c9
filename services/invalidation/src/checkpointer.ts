import { saveCheckpoint } from '@tidemark/log'
import type { Follower } from '@tidemark/tide'

type Client = Parameters<typeof saveCheckpoint>[0]

/** Stores the follower's floors for readers that start, unless nothing has changed since it last did. */
export function checkpointer(client: Client, follower: Follower, prefix: string): () => Promise<void> {
  let savedRevision = -1
  return async () => {
    const { revision } = follower
    const snapshot = revision === savedRevision ? undefined : follower.snapshot()
    if (snapshot === undefined) return
    await saveCheckpoint(client, snapshot, prefix)
    savedRevision = revision
  }
}

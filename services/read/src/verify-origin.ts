/**
 * Which connections may serve loads.
 *
 * A value is stamped with the position that this process has applied, so it must be read from a server that has all of
 * that: the primary, in the follower's own term. A standby may be behind, and a deposed primary is of an older term.
 * The check is made once for each connection; when the follower adopts a new term, all connections are renewed.
 */
import { logDatabase, readEpoch } from '@tidemark/log'
import type { Follower } from '@tidemark/tide'

type Client = Parameters<typeof logDatabase>[0]

export async function verifyOrigin(client: Client, follower: Follower): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby')
  if (rows[0]?.standby !== false) throw new Error('the server is a standby: loads need the primary')
  const { term } = await readEpoch(logDatabase(client))
  const own = follower.epoch?.term
  // A term above the follower's is a server that is ahead: what it gives is newer than its stamp, which does no harm.
  if (own !== undefined && term < own)
    throw new Error(
      `the server is in term ${term}, the log is in term ${own}: it is a deposed primary or an old backup`,
    )
}

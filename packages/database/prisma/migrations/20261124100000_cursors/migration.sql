-- How far each durable consumer of the log has come: a webhook, a publisher of another region.
--
-- One process at a time serves a cursor, under a lease by this server's clock: no two machines' clocks are compared, no
-- session state is needed, so PgBouncer may stand between. A process that dies or stalls loses its lease, and another goes
-- on from the stored position: what was handled and not yet stored is handled again, nothing is left out.
--
-- A cursor keeps the log from being trimmed above it, up to a cap; one whose consumer is gone for good is to be deleted.
CREATE TABLE tidemark.cursor (
  name       text PRIMARY KEY,
  term       integer NOT NULL,
  position   bigint NOT NULL,
  holder     uuid,
  held_until timestamptz,
  moved_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The tide log: committed changes are given dense positions here, and nowhere else.
--
--   outbox   written by triggers inside the writer's own transaction (see the capture migration)
--   log      what sequence() makes of it: position 1, 2, 3 ..., each naming the mark of the one before it
--   clock    the one row that is locked to give the next position
--   pulse    the one row that a crash or a promotion takes away
--
-- Needs PostgreSQL 15 or newer and no extension.

CREATE SCHEMA tidemark;
COMMENT ON SCHEMA tidemark IS 'Tidemark: change log and capture';

-- ── Tables ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- 48 bits from the server's strong generator (a version 4 UUID has 122): never 0, exact as a JavaScript number, and not
-- at the mercy of a session's setseed().
CREATE FUNCTION tidemark.random_mark() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN greatest(1, ('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint);

-- fillfactor: the row is rewritten with every position; room on its own page keeps those updates in place (HOT).
CREATE TABLE tidemark.clock (
  id              boolean PRIMARY KEY DEFAULT true CHECK (id),
  term            integer NOT NULL,
  nonce           bigint  NOT NULL,
  token           uuid    NOT NULL,
  pulse_row       text    NOT NULL,
  position        bigint  NOT NULL CHECK (position < 9007199254740992),
  mark            bigint  NOT NULL,
  capture_version integer NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Postgres can lose commits: a crash under asynchronous commit, the promotion of a standby that was behind. Positions
-- that followers have already seen would then be given a second time with other contents. It cannot tell us so, but it
-- empties every UNLOGGED table on exactly those occasions, and keeps them over a clean restart. So half of a token lies
-- here and half in the clock: when they differ, history may be lost and a new epoch begins.
CREATE UNLOGGED TABLE tidemark.pulse (
  id    boolean PRIMARY KEY DEFAULT true CHECK (id),
  token uuid NOT NULL
);

-- A queue: rows are inserted by writers and deleted by sequence() moments later, so it must be vacuumed by count and
-- without pauses, or reading "is it empty?" walks over the dead.
CREATE TABLE tidemark.outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  resource   text NOT NULL,
  key        text,
  operation  text NOT NULL CHECK (operation IN ('insert', 'update', 'delete', 'bulk', 'truncate', 'invalidate')),
  tags       text[] NOT NULL CHECK (cardinality(tags) > 0),
  version    bigint,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  trace      text,
  reason     text
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1, vacuum_index_cleanup = on);

CREATE TABLE tidemark.log (
  position      bigint PRIMARY KEY,
  mark          bigint  NOT NULL,
  previous_mark bigint  NOT NULL,
  term          integer NOT NULL,
  nonce         bigint  NOT NULL,
  tags          text[]  NOT NULL,
  changes       jsonb   NOT NULL,
  sequenced_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Term 0 has no history: the pulse is left empty, so that the first sequence() opens term 1 and position 1 is always an
-- epoch row. A log therefore never lacks a link to start from.
INSERT INTO tidemark.clock (term, nonce, token, pulse_row, position, mark, capture_version)
VALUES (0, tidemark.random_mark(), gen_random_uuid(), '', 0, tidemark.random_mark(), 0);

-- A dump carries the pulse like any table, and restoring it turns history back. The row it restores is a new one, though:
-- its table and inserting transaction are not those that the clock wrote down. VACUUM, also FULL and FREEZE, keeps both.
-- A copy made by CREATE DATABASE ... TEMPLATE has the same table and transaction, but is another database.
CREATE VIEW tidemark.beat AS
SELECT p.id, p.token, d.oid || '/' || p.tableoid || '/' || p.xmin AS row_name
FROM tidemark.pulse p JOIN pg_catalog.pg_database d ON d.datname = current_database();

CREATE VIEW tidemark.head AS
SELECT c.term, c.nonce, c.position, c.mark, c.capture_version,
       coalesce(b.token = c.token AND b.row_name = c.pulse_row, false) AS alive
FROM tidemark.clock c LEFT JOIN tidemark.beat b ON b.id = c.id;

-- ── Parts of sequence(): callers hold the clock row ────────────────────────────────────────────────────────────────

CREATE FUNCTION tidemark.epoch_ms(moment timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN floor(extract(epoch FROM moment) * 1000)::bigint;

-- A log row as followers read it.
CREATE FUNCTION tidemark.entry(link tidemark.log) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'position', (link).position, 'mark', (link).mark, 'previousMark', (link).previous_mark, 'term', (link).term,
  'nonce', (link).nonce, 'tags', (link).tags, 'changes', (link).changes,
  'sequencedAt', tidemark.epoch_ms((link).sequenced_at));

CREATE FUNCTION tidemark.append(tags text[], changes jsonb) RETURNS tidemark.log
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous bigint := (SELECT c.mark FROM tidemark.clock c);
  link tidemark.log;
BEGIN
  WITH next AS (
    UPDATE tidemark.clock c SET position = c.position + 1, mark = tidemark.random_mark()
    RETURNING c.position, c.mark, c.term, c.nonce
  )
  INSERT INTO tidemark.log (position, mark, previous_mark, term, nonce, tags, changes)
  SELECT n.position, n.mark, previous, n.term, n.nonce, append.tags, append.changes FROM next n
  RETURNING * INTO STRICT link;
  RETURN link;
END $$;

CREATE FUNCTION tidemark.start_epoch(above_term integer) RETURNS tidemark.log
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fresh uuid := gen_random_uuid();
BEGIN
  DELETE FROM tidemark.pulse;
  INSERT INTO tidemark.pulse (token) VALUES (fresh);
  UPDATE tidemark.clock c
  SET term = greatest(c.term, above_term) + 1, nonce = tidemark.random_mark(), token = fresh, pulse_row = b.row_name
  FROM tidemark.beat b;
  RETURN tidemark.append('{}', jsonb_build_array(jsonb_build_object(
    'resource', '-', 'key', NULL, 'operation', 'epoch', 'tags', '[]'::jsonb, 'version', NULL,
    'changedAt', tidemark.epoch_ms(clock_timestamp()), 'trace', NULL, 'reason', NULL)));
END $$;

-- What must hold before the clock may be locked.
CREATE FUNCTION tidemark.prepare_to_sequence(caller text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Under REPEATABLE READ every statement sees the snapshot of the first: changes committed since would stay invisible,
  -- and the position returned would not cover them.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION '%() must run in READ COMMITTED, not in %: call it in a transaction of its own, or begin with ISOLATION LEVEL READ COMMITTED',
      caller, upper(current_setting('transaction_isolation'))
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
END $$;

-- A position must never be announced and then lost, whatever durability the session chose for its own writes. Not called
-- before there is something to commit.
CREATE FUNCTION tidemark.commit_durably() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF current_setting('synchronous_commit') <> 'remote_apply' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END $$;

-- ── sequence() ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- Gives every change whose commit was visible when the call began a position at or below the one returned.
--
-- The fast path takes no lock. It is right because one statement reads everything from one snapshot: a change leaves the
-- outbox in the same commit that puts its position into the clock, so a snapshot that finds the outbox empty finds every
-- change committed before it at or below the clock's position.
--
-- The clock is locked in a statement of its own. In READ COMMITTED each statement has its own snapshot, taken when it
-- starts; one statement that locked and moved would have taken its snapshot before it waited for the lock, and would miss
-- what committed meanwhile and move again what the previous holder had moved.
--
-- What is moved are the *visible* rows, never "id greater than the last": ids are taken before commits, so a lower id can
-- appear later. Those left in the outbox are just not committed yet, and get the next position.
--
-- Nobody is told by NOTIFY: it puts commits under one lock for the whole server and does not pass through PgBouncer.
-- Followers are shipped to.
--
-- Call it as the only statement of its transaction: the clock stays locked until that transaction ends.
CREATE FUNCTION tidemark.sequence(batch integer DEFAULT 500)
RETURNS TABLE (term integer, nonce bigint, "position" bigint, mark bigint, more boolean, entries jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  head tidemark.head;
  pending boolean;
  moved bigint;
  moved_tags text[];
  moved_changes jsonb;
BEGIN
  IF batch IS NULL OR batch < 1 THEN
    RAISE EXCEPTION 'tidemark.sequence(): batch must be at least 1, not %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM tidemark.prepare_to_sequence('tidemark.sequence');

  SELECT h.term, h.nonce, h.position, h.mark, h.capture_version, h.alive, oldest.id IS NOT NULL
  INTO head.term, head.nonce, head.position, head.mark, head.capture_version, head.alive, pending
  FROM tidemark.head h LEFT JOIN LATERAL (SELECT o.id FROM tidemark.outbox o ORDER BY o.id LIMIT 1) oldest ON true;
  IF head.alive AND NOT pending THEN
    RETURN QUERY SELECT head.term, head.nonce, head.position, head.mark, false, '[]'::jsonb;
    RETURN;
  END IF;

  PERFORM tidemark.commit_durably();
  PERFORM 1 FROM tidemark.clock FOR UPDATE;

  entries := '[]';
  SELECT h.* INTO STRICT head FROM tidemark.head h;
  IF NOT head.alive THEN
    entries := entries || tidemark.entry(tidemark.start_epoch(0));
  END IF;

  WITH moved AS (
    DELETE FROM tidemark.outbox WHERE id IN (SELECT o.id FROM tidemark.outbox o ORDER BY o.id LIMIT batch) RETURNING *
  )
  SELECT count(*),
         (SELECT array_agg(DISTINCT t.tag ORDER BY t.tag) FROM moved m, unnest(m.tags) t (tag)),
         jsonb_agg(jsonb_build_object(
           'resource', m.resource, 'key', m.key, 'operation', m.operation, 'tags', m.tags, 'version', m.version,
           'changedAt', tidemark.epoch_ms(m.changed_at), 'trace', m.trace, 'reason', m.reason) ORDER BY m.id)
  INTO moved, moved_tags, moved_changes
  FROM moved m;
  IF moved > 0 THEN
    entries := entries || tidemark.entry(tidemark.append(moved_tags, moved_changes));
  END IF;

  RETURN QUERY SELECT h.term, h.nonce, h.position, h.mark, moved >= batch, entries FROM tidemark.head h;
END $$;
COMMENT ON FUNCTION tidemark.sequence(integer) IS
  'Moves visible outbox rows into the log and returns the position that covers everything committed before the call';

-- ── Administration ─────────────────────────────────────────────────────────────────────────────────────────────────

-- Declares that history may have been lost. above_term: the highest term any sink is known to hold, so that the new one
-- is above it (a database restored from an old backup does not know).
CREATE FUNCTION tidemark.new_epoch(above_term integer DEFAULT 0)
RETURNS TABLE (term integer, nonce bigint, "position" bigint, mark bigint, more boolean, entries jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  link tidemark.log;
BEGIN
  PERFORM tidemark.prepare_to_sequence('tidemark.new_epoch');
  PERFORM tidemark.commit_durably();
  PERFORM 1 FROM tidemark.clock FOR UPDATE;
  link := tidemark.start_epoch(coalesce(above_term, 0));
  RETURN QUERY SELECT link.term, link.nonce, link.position, link.mark,
                      EXISTS (SELECT FROM tidemark.outbox), jsonb_build_array(tidemark.entry(link));
END $$;

-- The same on behalf of one who saw a sink that is ahead of the epoch (seen_term, seen_nonce); no row when the clock has left
-- that epoch meanwhile, for then somebody else has answered it. Compared after the clock is locked, in a statement of its
-- own: callers that compared first would all find the old epoch and begin one each.
--
-- Runs with its owner's rights, like sequence(): whoever moves the log along may answer what he finds at a sink, once for
-- each epoch, without the right to force one.
CREATE FUNCTION tidemark.new_epoch_if(seen_term integer, seen_nonce bigint, above_term integer DEFAULT 0)
RETURNS TABLE (term integer, nonce bigint, "position" bigint, mark bigint, more boolean, entries jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM tidemark.prepare_to_sequence('tidemark.new_epoch_if');
  PERFORM 1 FROM tidemark.clock FOR UPDATE;
  IF EXISTS (SELECT FROM tidemark.clock c WHERE c.term = seen_term AND c.nonce = seen_nonce) THEN
    RETURN QUERY SELECT * FROM tidemark.new_epoch(above_term);
  END IF;
END $$;

-- Deletes the oldest log rows that neither rule keeps: not among the last keep_positions, and older than keep_age. The
-- head is always kept, what is kept has no holes, and one call deletes at most 10,000 rows. Returns how many.
CREATE FUNCTION tidemark.trim_log(keep_positions bigint, keep_age interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most constant bigint := 10000;
  oldest bigint;
  newest bigint;
  cut bigint;
  trimmed bigint;
BEGIN
  IF keep_positions IS NULL OR keep_positions < 0 OR keep_age IS NULL THEN
    RAISE EXCEPTION 'tidemark.trim_log(): keep_positions must be 0 or more and keep_age must be given'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT min(l.position), max(l.position) INTO oldest, newest FROM tidemark.log l;
  cut := least(newest - greatest(keep_positions, 1), oldest + most - 1);
  -- The wall clock may step back: cut below the first row that is young enough, not through the rows that are old.
  cut := least(cut, (
    SELECT l.position - 1 FROM tidemark.log l
    WHERE l.sequenced_at >= clock_timestamp() - keep_age AND l.position <= cut ORDER BY l.position LIMIT 1));
  DELETE FROM tidemark.log l WHERE l.position <= cut;
  GET DIAGNOSTICS trimmed = ROW_COUNT;
  RETURN trimmed;
END $$;

-- A role that may only move the log along: GRANT USAGE ON SCHEMA tidemark and EXECUTE ON FUNCTION tidemark.sequence(integer),
-- tidemark.new_epoch_if(integer, bigint, integer).
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

-- sequence() in constant time, however many rows have gone through the outbox.
--
-- Rows that are moved leave dead entries behind. VACUUM takes them away, but not while an older snapshot is open: one
-- forgotten REPEATABLE READ session or long report, and "is the outbox empty?" walks over everything that was moved since.
-- The same goes for a row that is rewritten with every position, as the clock was.
--
--   epoch   the one row that says which history this is; locked to give the next position, rewritten only by a new epoch
--   clock   a view now: the epoch, and position and mark from the newest row of the log, to which nothing dead is near
--   bound   below which id no look at the outbox is needed; it stands in each log row, so the newest one has it
--
-- Why the bound loses no row:
--
-- 1. Whoever takes an outbox id has a transaction id by then. The statement trigger below sees to it, before the first row
--    is made; the capture triggers have one anyway. So has the transaction around a savepoint, and only those count here.
-- 2. Ids are handed out in order, one at a time (CACHE 1). sequence() reads the last one, M, and takes its own transaction
--    id Y only afterwards. So every transaction that has an id up to M has a transaction id below Y: M is "settling".
-- 3. Y has committed once its log row can be read. A snapshot from then on lists those below Y that still run, prepared
--    ones included. If there are none, no row up to M will ever appear again: what the same statement, with the same
--    snapshot, has then moved is all there was, and the bound passes M.
-- 4. Nobody waits for one that runs on and on. Where the bound would pass `patience` ids it does so all the same, and those
--    that still run are written down as late, with the bound that held before: what they took lies at or above that. While a
--    snapshot says that a late one runs, it shows no row of it. The first snapshot that says that it has ended makes the
--    look begin at what was written down for it. So no row is found later than without a bound.
-- 5. Transaction ids and the order of ids are those of one history: a new epoch, which a crash, a promotion and a restored
--    dump begin, starts without a bound. A bound is durable with its log row, so are the ids and transaction ids before it.
--
-- Ids that somebody chooses (OVERRIDING SYSTEM VALUE, COPY with ids) are outside of this: find_strays() moves them.

-- ── The clock without a rewritten row ──────────────────────────────────────────────────────────────────────────────

LOCK TABLE tidemark.clock, tidemark.outbox, tidemark.log IN ACCESS EXCLUSIVE MODE;

CREATE TYPE tidemark.outbox_bound AS (
  -- No row below it is or becomes visible, but of late ones.
  next          bigint,
  -- What the next bound is, once those that began before settling_xid have ended.
  settling      bigint,
  settling_xid  xid8,
  -- Those that ran on, and from where on each may have rows below the bound.
  late          xid8[],
  late_from     bigint[]
);

ALTER TABLE tidemark.log ADD COLUMN bound tidemark.outbox_bound, ADD CHECK (position < 9007199254740992);
ALTER TABLE tidemark.clock RENAME TO epoch;

-- Until the first epoch the log is empty, and the mark is the one that position 1 will name.
CREATE VIEW tidemark.clock AS
SELECT e.id, e.term, e.nonce, e.token, e.pulse_row,
       coalesce((SELECT l.position FROM tidemark.log l ORDER BY l.position DESC LIMIT 1), 0) AS position,
       coalesce((SELECT l.mark FROM tidemark.log l ORDER BY l.position DESC LIMIT 1), e.mark) AS mark,
       e.capture_version
FROM tidemark.epoch e;

CREATE OR REPLACE VIEW tidemark.head AS
SELECT c.term, c.nonce, c.position, c.mark, c.capture_version,
       coalesce(b.token = c.token AND b.row_name = c.pulse_row, false) AS alive
FROM tidemark.clock c LEFT JOIN tidemark.beat b ON b.id = c.id;

ALTER TABLE tidemark.epoch DROP COLUMN position;
ALTER TABLE tidemark.epoch RENAME COLUMN mark TO first_mark;

DROP FUNCTION tidemark.append(text[], jsonb);
CREATE FUNCTION tidemark.append(tags text[], changes jsonb, bound tidemark.outbox_bound) RETURNS tidemark.log
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link tidemark.log;
BEGIN
  INSERT INTO tidemark.log (position, mark, previous_mark, term, nonce, tags, changes, bound)
  SELECT c.position + 1, tidemark.random_mark(), c.mark, c.term, c.nonce, append.tags, append.changes, append.bound
  FROM tidemark.clock c
  RETURNING * INTO STRICT link;
  RETURN link;
END $$;

CREATE OR REPLACE FUNCTION tidemark.start_epoch(above_term integer) RETURNS tidemark.log
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fresh uuid := gen_random_uuid();
BEGIN
  DELETE FROM tidemark.pulse;
  INSERT INTO tidemark.pulse (token) VALUES (fresh);
  UPDATE tidemark.epoch e
  SET term = greatest(e.term, above_term) + 1, nonce = tidemark.random_mark(), token = fresh, pulse_row = b.row_name
  FROM tidemark.beat b;
  RETURN tidemark.append('{}', jsonb_build_array(jsonb_build_object(
    'resource', '-', 'key', NULL, 'operation', 'epoch', 'tags', '[]'::jsonb, 'version', NULL,
    'changedAt', tidemark.epoch_ms(clock_timestamp()), 'trace', NULL, 'reason', NULL)), NULL);
END $$;

-- ── The bound ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION tidemark.take_transaction_id() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_current_xact_id();
  RETURN NULL;
END $$;
CREATE TRIGGER tidemark_transaction_id BEFORE INSERT ON tidemark.outbox
  FOR EACH STATEMENT EXECUTE FUNCTION tidemark.take_transaction_id();
ALTER TABLE tidemark.outbox ENABLE ALWAYS TRIGGER tidemark_transaction_id;
ALTER TABLE tidemark.outbox ALTER COLUMN id SET CACHE 1;

-- Where a look with this snapshot must begin.
CREATE FUNCTION tidemark.look_from(bound tidemark.outbox_bound, seen pg_snapshot) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN coalesce(
  CASE WHEN cardinality((bound).late) > 0 THEN
    (SELECT min(l.since) FROM unnest((bound).late, (bound).late_from) l (xid, since) WHERE pg_visible_in_snapshot(l.xid, seen))
  END,
  (bound).next, 1);

-- The outbox as far as a look must go; for everybody who wants to know what waits.
CREATE VIEW tidemark.waiting AS
SELECT o.*
FROM (SELECT tidemark.look_from((SELECT l.bound FROM tidemark.log l ORDER BY l.position DESC LIMIT 1), pg_current_snapshot()) AS id) first
JOIN tidemark.outbox o ON o.id >= first.id;

-- The bound after a statement has moved, with the snapshot `seen`, all rows that it saw up to the id `reached`.
-- `last_id`, when it is given, was the last id handed out before the transaction id `own` was taken.
CREATE FUNCTION tidemark.settle(bound tidemark.outbox_bound, seen pg_snapshot, reached bigint, last_id bigint, own xid8)
RETURNS tidemark.outbox_bound
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  patience constant bigint := 1000;
  most_late constant integer := 32;
  running xid8[];
  passed bigint;
BEGIN
  IF bound IS NULL THEN bound := ROW(1, NULL, NULL, '{}'::xid8[], '{}'::bigint[])::tidemark.outbox_bound; END IF;

  IF cardinality(bound.late) > 0 AND reached >= bound.next - 1 THEN
    SELECT coalesce(array_agg(l.xid), '{}'), coalesce(array_agg(l.since), '{}') INTO bound.late, bound.late_from
    FROM unnest(bound.late, bound.late_from) l (xid, since) WHERE NOT pg_visible_in_snapshot(l.xid, seen);
  END IF;

  -- Those at or past the snapshot's xmax are not listed: it must lie above the one that is waited for.
  IF bound.settling IS NOT NULL AND bound.settling_xid < pg_snapshot_xmax(seen) THEN
    passed := least(bound.settling, reached) + 1;
    running := ARRAY(SELECT r.xid FROM pg_snapshot_xip(seen) r (xid) WHERE r.xid < bound.settling_xid AND r.xid <> ALL (bound.late));
    IF passed > bound.next AND (running = '{}'
       OR passed - bound.next >= patience AND cardinality(bound.late) + cardinality(running) <= most_late) THEN
      bound.late := bound.late || running;
      bound.late_from := bound.late_from || array_fill(bound.next, ARRAY[cardinality(running)]);
      bound.next := passed;
    END IF;
  END IF;

  IF bound.settling < bound.next THEN
    bound.settling := NULL;
    bound.settling_xid := NULL;
  END IF;
  IF bound.settling IS NULL AND last_id >= bound.next THEN
    bound.settling := last_id;
    bound.settling_xid := own;
  END IF;
  RETURN bound;
END $$;

-- An outbox row as the log holds it.
CREATE FUNCTION tidemark.change(captured tidemark.outbox) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
  'resource', (captured).resource, 'key', (captured).key, 'operation', (captured).operation, 'tags', (captured).tags,
  'version', (captured).version, 'changedAt', tidemark.epoch_ms((captured).changed_at), 'trace', (captured).trace,
  'reason', (captured).reason);

-- ── sequence() ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- As before (see the migration tide_log for why it is right), but that looks begin at the bound, the epoch's row is what is
-- locked, and rows are taken by their place: no plan can walk the index a second time.
CREATE OR REPLACE FUNCTION tidemark.sequence(batch integer DEFAULT 500)
RETURNS TABLE (term integer, nonce bigint, "position" bigint, mark bigint, more boolean, entries jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  head tidemark.head;
  bound tidemark.outbox_bound;
  pending boolean;
  last_id bigint;
  moved bigint;
  last_moved bigint;
  moved_tags text[];
  moved_changes jsonb;
  seen pg_snapshot;
BEGIN
  IF batch IS NULL OR batch < 1 THEN
    RAISE EXCEPTION 'tidemark.sequence(): batch must be at least 1, not %', batch USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM tidemark.prepare_to_sequence('tidemark.sequence');

  SELECT h.term, h.nonce, h.position, h.mark, h.capture_version, h.alive,
         EXISTS (SELECT FROM tidemark.outbox o WHERE o.id >= tidemark.look_from(
           (SELECT l.bound FROM tidemark.log l ORDER BY l.position DESC LIMIT 1), pg_current_snapshot()))
  INTO head.term, head.nonce, head.position, head.mark, head.capture_version, head.alive, pending
  FROM tidemark.head h;
  IF head.alive AND NOT pending THEN
    RETURN QUERY SELECT head.term, head.nonce, head.position, head.mark, false, '[]'::jsonb;
    RETURN;
  END IF;

  -- In a transaction that has an id already, nothing new can settle.
  IF pg_current_xact_id_if_assigned() IS NULL THEN
    last_id := pg_sequence_last_value('tidemark.outbox_id_seq'::regclass);
  END IF;

  PERFORM tidemark.commit_durably();
  PERFORM 1 FROM tidemark.epoch FOR UPDATE;

  entries := '[]';
  SELECT h.* INTO STRICT head FROM tidemark.head h;
  IF NOT head.alive THEN
    entries := entries || tidemark.entry(tidemark.start_epoch(0));
  END IF;

  bound := (SELECT l.bound FROM tidemark.log l ORDER BY l.position DESC LIMIT 1);
  WITH moved AS (
    DELETE FROM tidemark.outbox o WHERE o.ctid = ANY (ARRAY(
      SELECT d.ctid FROM tidemark.outbox d WHERE d.id >= tidemark.look_from(bound, pg_current_snapshot())
      ORDER BY d.id LIMIT batch))
    RETURNING o.*
  )
  SELECT count(*), max(m.id), pg_current_snapshot(),
         (SELECT array_agg(DISTINCT t.tag ORDER BY t.tag) FROM moved m, unnest(m.tags) t (tag)),
         jsonb_agg(tidemark.change(m) ORDER BY m.id)
  INTO moved, last_moved, seen, moved_tags, moved_changes
  FROM moved m;
  IF moved > 0 THEN
    bound := tidemark.settle(bound, seen, CASE WHEN moved < batch THEN 9223372036854775807 - 1 ELSE last_moved END,
                             last_id, pg_current_xact_id());
    entries := entries || tidemark.entry(tidemark.append(moved_tags, moved_changes, bound));
  END IF;

  RETURN QUERY SELECT h.term, h.nonce, h.position, h.mark, moved >= batch, entries FROM tidemark.head h;
END $$;

-- ── Rows outside of the bound ──────────────────────────────────────────────────────────────────────────────────────

-- Gives a position to rows below the bound: ids that somebody chose, or a bound that is wrong. Returns how many there were,
-- none in a sound system. It looks at everything that VACUUM could not take away: call it now and then, not often.
CREATE FUNCTION tidemark.find_strays(batch integer DEFAULT 500) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bound tidemark.outbox_bound := (SELECT l.bound FROM tidemark.log l ORDER BY l.position DESC LIMIT 1);
  moved bigint;
  moved_tags text[];
  moved_changes jsonb;
BEGIN
  PERFORM tidemark.prepare_to_sequence('tidemark.find_strays');
  IF NOT EXISTS (SELECT FROM tidemark.outbox o WHERE o.id < tidemark.look_from(bound, pg_current_snapshot())) THEN
    RETURN 0;
  END IF;

  PERFORM tidemark.commit_durably();
  PERFORM 1 FROM tidemark.epoch FOR UPDATE;
  bound := (SELECT l.bound FROM tidemark.log l ORDER BY l.position DESC LIMIT 1);
  WITH moved AS (
    DELETE FROM tidemark.outbox o WHERE o.ctid = ANY (ARRAY(
      SELECT d.ctid FROM tidemark.outbox d WHERE d.id < tidemark.look_from(bound, pg_current_snapshot()) ORDER BY d.id LIMIT batch))
    RETURNING o.*
  )
  SELECT count(*),
         (SELECT array_agg(DISTINCT t.tag ORDER BY t.tag) FROM moved m, unnest(m.tags) t (tag)),
         jsonb_agg(tidemark.change(m) ORDER BY m.id)
  INTO moved, moved_tags, moved_changes
  FROM moved m;
  IF moved > 0 THEN
    PERFORM tidemark.append(moved_tags, moved_changes, bound);
  END IF;
  RETURN moved;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

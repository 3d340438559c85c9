-- Ways by which a change escaped capture, closed:
--
--   a child by INHERITS, whose rows a query of the parent shows      has triggers of its own, as a partition has
--   a partition made inside CREATE SCHEMA                            gets the triggers of its parent
--   a foreign table as a partition or child                          is refused: what changes elsewhere fires nothing here
--   DETACH PARTITION CONCURRENTLY                                    is told when the rows go, not when the command ends
--   a column that goes with its type or function (DROP ... CASCADE)  is one change of everything
--   ALTER TYPE of a type inside a column's type (array, domain, ...) is one change of everything
--   DROP TRIGGER of one of ours, DROP FUNCTION ... CASCADE           is one change of everything
--   MERGE that moves a row to another partition                      is one change of everything: nothing is shown it
--   a facet that is a virtual generated column                       is refused: triggers see NULL in it

-- ── Families ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- A table and what it is a partition or a child of, at any distance.
CREATE FUNCTION tidemark.above(place oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE up (id) AS (
    SELECT place UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.id
  )
  SELECT up.id FROM up
$$;

-- A table, its partitions, and the tables that inherit from it, at any distance.
CREATE FUNCTION tidemark.below(place oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE down (id) AS (
    SELECT place UNION SELECT i.inhrelid FROM down JOIN pg_inherits i ON i.inhparent = down.id
  )
  SELECT down.id FROM down
$$;

-- The watched table that a partition or child belongs to: the highest with the same arguments.
CREATE FUNCTION tidemark.top(place oid) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT w.place::oid
  FROM tidemark.watched own
  CROSS JOIN LATERAL tidemark.above(own.place) up (id)
  JOIN tidemark.watched w ON w.place = up.id AND w.arguments = own.arguments
  WHERE own.place = top.place
  ORDER BY (SELECT count(*) FROM tidemark.above(w.place)) LIMIT 1
$$;

-- Watched tables that hold values of an altered type, or of a table's row type: by itself, or inside of an array, a domain,
-- a range or another row type. The text of such values changes, and no row is written.
CREATE FUNCTION tidemark.holders(catalogue oid, altered oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE held (type) AS (
    SELECT altered WHERE catalogue = 'pg_type'::regclass
    UNION
    SELECT c.reltype FROM pg_class c WHERE catalogue = 'pg_class'::regclass AND c.oid = altered AND c.reltype <> 0
    UNION
    SELECT wider.type
    FROM held CROSS JOIN LATERAL (
      SELECT t.oid AS type FROM pg_type t WHERE held.type IN (t.typelem, t.typbasetype)
      UNION ALL
      SELECT unnest(ARRAY[r.rngtypid, r.rngmultitypid]) FROM pg_range r WHERE r.rngsubtype = held.type
      UNION ALL
      SELECT c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE a.atttypid = held.type AND NOT a.attisdropped AND c.reltype <> 0
    ) wider
  )
  SELECT DISTINCT w.place::oid
  FROM tidemark.watched w JOIN pg_attribute a ON a.attrelid = w.place AND NOT a.attisdropped
  WHERE a.atttypid IN (SELECT held.type FROM held)
$$;

-- ── Installing ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION tidemark.unfit_for_tag(place regclass, wanted name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN a.attgenerated = 'v'
           THEN format('column %I is generated and virtual, and triggers do not see its values: make it STORED', a.attname)
         ELSE format('column %I is of type %s%s: allowed are text and varchar with a deterministic collation, smallint, integer, bigint, boolean, uuid and enums',
                     a.attname, format_type(a.atttypid, a.atttypmod),
                     CASE WHEN NOT c.collisdeterministic THEN format(' with the nondeterministic collation %I', c.collname) END)
         END
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = place AND a.attname = wanted AND NOT a.attisdropped
    AND NOT (a.attgenerated <> 'v' AND (
               t.typtype = 'e'
               OR a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'uuid'::regtype)
               OR a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND c.collisdeterministic))
$$;

CREATE OR REPLACE FUNCTION tidemark.uninstall(place regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  trigger_name name;
  found_any boolean := false;
BEGIN
  FOR trigger_name IN
    SELECT t.tgname FROM pg_trigger t WHERE t.tgname LIKE 'tidemark\_%' AND t.tgparentid = 0 AND t.tgrelid = uninstall.place
  LOOP
    PERFORM tidemark.alter_unseen(format('DROP TRIGGER %I ON %s', trigger_name, place));
    found_any := true;
  END LOOP;
  DELETE FROM tidemark.watched w WHERE w.place = uninstall.place;
  RETURN found_any;
END $$;

-- All that a table needs. Statement triggers fire for the table that the statement names, so each partition and each child
-- needs its own. Row triggers are given to partitions by Postgres, also to those that come later; children by INHERITS get
-- theirs here.
CREATE OR REPLACE FUNCTION tidemark.install(place regclass, resource text, arguments text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  has_version boolean;
  has_updated_at boolean;
BEGIN
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = place AND c.relkind = 'f') THEN
    RAISE EXCEPTION 'tidemark: % is a foreign table: its rows change elsewhere, and nothing here is told', place
      USING ERRCODE = 'feature_not_supported', HINT = 'tidemark.unwatch() the table that it is to be part of';
  END IF;
  PERFORM tidemark.uninstall(place);
  -- Transition tables may be used by triggers on one event only.
  EXECUTE format('CREATE TRIGGER tidemark_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
  EXECUTE format('CREATE TRIGGER tidemark_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
  EXECUTE format('CREATE TRIGGER tidemark_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
  EXECUTE format('CREATE TRIGGER tidemark_truncate AFTER TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
  PERFORM tidemark.alter_unseen(format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER tidemark_truncate', place));

  IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = place AND t.tgname = 'tidemark_row') THEN
    EXECUTE format('CREATE TRIGGER tidemark_row AFTER INSERT OR UPDATE OR DELETE ON %s
      FOR EACH ROW EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
    PERFORM tidemark.alter_unseen(format('ALTER TABLE %s ENABLE REPLICA TRIGGER tidemark_row', place));
  END IF;

  SELECT coalesce(bool_or(a.attname = 'version' AND a.atttypid IN ('int4'::regtype, 'int8'::regtype)), false),
         coalesce(bool_or(a.attname = 'updated_at' AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)), false)
  INTO has_version, has_updated_at
  FROM pg_attribute a WHERE a.attrelid = place AND NOT a.attisdropped;
  IF (has_version OR has_updated_at)
     AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = place AND t.tgname = 'tidemark_stamp') THEN
    EXECUTE format('CREATE TRIGGER tidemark_stamp BEFORE INSERT OR UPDATE ON %s
      FOR EACH ROW EXECUTE FUNCTION tidemark.stamp(%L, %L)', place, has_version, has_updated_at);
    PERFORM tidemark.alter_unseen(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER tidemark_stamp', place));
  END IF;
  INSERT INTO tidemark.watched (place, resource, arguments) VALUES (place, resource, arguments);
END $$;

-- A row that UPDATE moves to another partition is in the transition tables of the update. One that MERGE moves is in those of
-- an insert and a delete, and the triggers that would be shown them only fire where the MERGE has such actions: seen in
-- Postgres 18. Row triggers are called for both halves of a move. So where the columns that choose the partition change, the
-- keys of the rows that arrive are noted, and at the end of the statement compared with the rows that the update is shown. If
-- one is missing, or there are more than the bulk limit, everything is told.
--
-- A statement's notes lie in a setting of the transaction that bears its depth: triggers run statements of their own.
--
-- BEFORE UPDATE: begins to note. AFTER INSERT: notes. Arguments: key column, bulk limit.
CREATE FUNCTION tidemark.note_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  notes text := 'tidemark.moving_' || pg_trigger_depth() - 1;
  arrived jsonb := coalesce(nullif(current_setting(notes, true), ''), '[]');
BEGIN
  IF TG_WHEN = 'AFTER' AND jsonb_array_length(arrived) <= TG_ARGV[1]::bigint THEN
    arrived := arrived || jsonb_build_array(to_jsonb(NEW) ->> TG_ARGV[0]);
  END IF;
  PERFORM set_config(notes, arrived::text, true);
  RETURN NEW;
END $$;

-- AFTER UPDATE, each statement. Arguments: resource name, key column, bulk limit.
CREATE FUNCTION tidemark.tell_moves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  notes text := 'tidemark.moving_' || pg_trigger_depth() - 1;
  arrived jsonb := nullif(current_setting(notes, true), '');
  trace_context text := left(nullif(current_setting('tidemark.trace', true), ''), 256);
BEGIN
  IF arrived IS NULL THEN RETURN NULL; END IF;
  PERFORM set_config(notes, '', true);
  IF jsonb_array_length(arrived) > TG_ARGV[2]::bigint OR EXISTS (
    SELECT a.key FROM jsonb_array_elements_text(arrived) a (key)
    EXCEPT
    SELECT to_jsonb(n.*) ->> TG_ARGV[1] FROM new_rows n
  ) THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, trace)
    VALUES (TG_ARGV[0], 'bulk', ARRAY[TG_ARGV[0] || '!all'], trace_context);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION tidemark.watch_moves(watched regclass, arguments text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place regclass;
  moves text;
  name text;
  key text;
  bulk_limit integer;
BEGIN
  EXECUTE format('SELECT v.column1, v.column2, v.column4 FROM (VALUES (%s)) v', arguments) INTO name, key, bulk_limit;
  -- A column that a partition key names, or an expression of it, is an internal part of its table.
  SELECT string_agg(DISTINCT format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', a.attname), ' OR ') INTO moves
  FROM tidemark.below(watched) b (id)
  JOIN pg_partitioned_table p ON p.partrelid = b.id
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = b.id AND d.objsubid > 0
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = b.id AND d.refobjsubid = 0 AND d.deptype = 'i'
  JOIN pg_attribute a ON a.attrelid = b.id AND a.attnum = d.objsubid;
  IF moves IS NULL THEN RETURN; END IF;

  EXECUTE format('CREATE OR REPLACE TRIGGER tidemark_moving BEFORE UPDATE ON %s
    FOR EACH ROW WHEN (%s) EXECUTE FUNCTION tidemark.note_move(%L, %L)', watched, moves, key, bulk_limit);
  EXECUTE format('CREATE OR REPLACE TRIGGER tidemark_moved AFTER INSERT ON %s
    FOR EACH ROW WHEN (current_setting(''tidemark.moving_'' || pg_trigger_depth(), true) <> '''')
    EXECUTE FUNCTION tidemark.note_move(%L, %L)', watched, key, bulk_limit);
  FOR place IN SELECT p.partrelid FROM tidemark.below(watched) b (id) JOIN pg_partitioned_table p ON p.partrelid = b.id LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER tidemark_settled AFTER UPDATE ON %s REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION tidemark.tell_moves(%L, %L, %L)', place, name, key, bulk_limit);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION tidemark.unwatch(watched regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed boolean;
BEGIN
  SELECT bool_or(tidemark.uninstall(b.id)) INTO removed FROM tidemark.below(watched) b (id);
  IF removed THEN
    UPDATE tidemark.clock SET capture_version = capture_version + 1;
  END IF;
END $$;

-- Captures the changes of a table. Run it again to change facets or the limit; in a migration, before any reader uses them.
--
--   watched     table; its partitions and children too. Those that come later are seen by capture_ddl(); without its event
--               triggers watch the table again after adding one
--   name        resource, singular camelCase: product
--   key         column that identifies a row, NOT NULL
--   facets      API field -> column: {"categoryId": "category_id"}; key and facets of types that unfit_for_tag() lets pass
--   bulk_limit  a statement that touches more rows is told as one change of everything
CREATE OR REPLACE FUNCTION tidemark.watch(watched regclass, name text, key text, facets jsonb DEFAULT '{}', bulk_limit integer DEFAULT 1000)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
  place regclass;
  arguments text;
  begun boolean;
BEGIN
  SELECT CASE
    WHEN name !~ '^[a-z][A-Za-z0-9]*$' THEN format('name must be camelCase, not %L', name)
    WHEN jsonb_typeof(facets) <> 'object' THEN 'facets must be an object of API field and column'
    WHEN bulk_limit < 1 THEN format('bulk_limit must be at least 1, not %s', bulk_limit)
    WHEN NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = watched AND a.attname = key
                     AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull)
      THEN format('key %I must be a column of %s that is NOT NULL', key, watched)
  END INTO wrong;
  IF wrong IS NULL THEN
    SELECT format('facet %L: %s has no column %I', f.key, watched, f.value) INTO wrong
    FROM jsonb_each_text(facets) f
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = watched AND a.attname = f.value
                      AND a.attnum > 0 AND NOT a.attisdropped)
    LIMIT 1;
  END IF;
  IF wrong IS NULL THEN
    SELECT format('%s: %s', f.role, f.unfit) INTO wrong
    FROM (SELECT 'key' AS role, tidemark.unfit_for_tag(watched, key) AS unfit
          UNION ALL
          SELECT format('facet %L', f.key), tidemark.unfit_for_tag(watched, f.value) FROM jsonb_each_text(facets) f) f
    WHERE f.unfit IS NOT NULL
    LIMIT 1;
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'tidemark.watch(%): %', watched, wrong USING ERRCODE = 'invalid_parameter_value';
  END IF;

  PERFORM tidemark.unwatch(watched);
  arguments := format('%L, %L, %L, %L', name, key, facets, bulk_limit);
  -- The table first: what is below it then has its row triggers, or needs them.
  FOR place IN SELECT b.id FROM tidemark.below(watched) b (id) ORDER BY b.id <> watched LOOP
    PERFORM tidemark.install(place, name, arguments);
  END LOOP;
  PERFORM tidemark.watch_moves(watched, arguments);

  UPDATE tidemark.clock SET capture_version = capture_version + 1 RETURNING position > 0 INTO begun;
  -- Writes before this commit went unseen or lacked a facet's tag. Creating the triggers waited for those writers, so this
  -- change is sequenced after all of them and sinks what was cached since. A log not yet begun starts with an epoch anyway.
  IF begun THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, reason)
    VALUES (name, 'bulk', ARRAY[name || '!all'], 'capture installed');
  END IF;
END $$;

-- ── Definitions ────────────────────────────────────────────────────────────────────────────────────────────────────

-- Rows that a definition changes, brings or takes away fire no trigger: a new type or default, a partition attached or
-- detached, a dropped table, triggers put to sleep or dropped. Any ALTER or DROP of a watched table, or of what is below
-- one, is told as a change of everything: which of them change rows is not ours to know, and they are rare.
--
-- A new partition or child gets the triggers of its parent.
CREATE OR REPLACE FUNCTION tidemark.capture_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tables oid[];
  names text[];
  bare record;
  grown oid[] := '{}';
BEGIN
  IF current_setting('tidemark.installing', true) = 'on' THEN RETURN; END IF;
  IF TG_EVENT = 'table_rewrite' THEN
    tables := ARRAY[pg_event_trigger_table_rewrite_oid()];
    names := ARRAY[pg_event_trigger_table_rewrite_oid()::regclass];
  ELSIF TG_EVENT = 'sql_drop' THEN
    -- Columns of a table and triggers of ours go by other commands too. ALTER TABLE is seen when it ends.
    SELECT array_agg(d.id), array_agg(d.name) INTO tables, names
    FROM (SELECT d.objid AS id, d.object_identity AS name FROM pg_event_trigger_dropped_objects() d
          WHERE d.classid = 'pg_class'::regclass AND (d.objsubid = 0 OR TG_TAG <> 'ALTER TABLE')
          UNION ALL
          SELECT to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])), d.object_identity
          FROM pg_event_trigger_dropped_objects() d
          WHERE d.classid = 'pg_trigger'::regclass AND d.address_names[3] LIKE 'tidemark\_%' AND TG_TAG <> 'ALTER TABLE') d;
  ELSE
    SELECT array_agg(c.id), array_agg(c.name) INTO tables, names
    FROM (SELECT d.objid AS id, d.object_identity AS name FROM pg_event_trigger_ddl_commands() d
          WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
          UNION
          SELECT h.id, d.object_identity
          FROM pg_event_trigger_ddl_commands() d CROSS JOIN LATERAL tidemark.holders(d.classid, d.objid) h (id)
          WHERE TG_TAG LIKE 'ALTER %') c;
  END IF;

  IF TG_TAG NOT LIKE 'CREATE %' THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, reason)
    SELECT w.resource, 'bulk', ARRAY[w.resource || '!all'], TG_TAG || ' ' || min(t.name)
    FROM unnest(tables, names) t (id, name)
    CROSS JOIN LATERAL tidemark.above(t.id) up (id)
    JOIN tidemark.watched w ON w.place = up.id
    GROUP BY w.resource;
  END IF;

  IF TG_EVENT = 'sql_drop' THEN
    DELETE FROM tidemark.watched w USING pg_event_trigger_dropped_objects() d
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND w.place = d.objid;
  ELSIF TG_EVENT = 'ddl_command_end' THEN
    FOR bare IN
      SELECT DISTINCT b.id AS place, w.resource, w.arguments
      FROM unnest(tables) t (id)
      CROSS JOIN LATERAL tidemark.above(t.id) up (id)
      JOIN tidemark.watched w ON w.place = up.id
      CROSS JOIN LATERAL tidemark.below(w.place) b (id)
      WHERE NOT EXISTS (SELECT FROM tidemark.watched own WHERE own.place = b.id AND own.arguments = w.arguments)
    LOOP
      PERFORM tidemark.install(bare.place, bare.resource, bare.arguments);
      grown := grown || bare.place;
    END LOOP;
    -- One that has partitions of its own may choose them by other columns.
    FOR bare IN
      SELECT DISTINCT w.place, w.arguments
      FROM unnest(grown) g (id) JOIN pg_partitioned_table p ON p.partrelid = g.id
      JOIN tidemark.watched w ON w.place = tidemark.top(g.id)
    LOOP
      PERFORM tidemark.watch_moves(bare.place, bare.arguments);
    END LOOP;
  END IF;
END $$;

-- DETACH PARTITION CONCURRENTLY commits twice. After the first commit the rows are gone for everybody who looks, and the
-- second waits for those who still see them: a command that ends late would tell too late. Which table it is cannot be asked
-- for before it ends. The text of the query can be trusted, for the command runs in no function and in no block.
CREATE FUNCTION tidemark.capture_detach() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_query() ~* '\mdetach\M.*\mconcurrently\M' THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, reason)
    SELECT DISTINCT w.resource, 'bulk', ARRAY[w.resource || '!all'], 'DETACH PARTITION CONCURRENTLY begins'
    FROM tidemark.watched w JOIN pg_class c ON c.oid = w.place AND c.relkind = 'p';
  END IF;
END $$;

-- Event triggers belong to superusers. ENABLE ALWAYS: a session in replica mode alters tables too. May be called again.
CREATE FUNCTION tidemark.watch_definitions() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made text;
BEGIN
  FOREACH made IN ARRAY ARRAY['tidemark_alter', 'tidemark_rewrite', 'tidemark_drop', 'tidemark_detach'] LOOP
    IF EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtname = made) THEN
      EXECUTE format('DROP EVENT TRIGGER %I', made);
    END IF;
  END LOOP;
  CREATE EVENT TRIGGER tidemark_alter ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER TYPE', 'CREATE TABLE', 'CREATE FOREIGN TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION tidemark.capture_ddl();
  -- ALTER TABLE is seen above.
  CREATE EVENT TRIGGER tidemark_rewrite ON table_rewrite WHEN TAG IN ('ALTER TYPE') EXECUTE FUNCTION tidemark.capture_ddl();
  CREATE EVENT TRIGGER tidemark_drop ON sql_drop EXECUTE FUNCTION tidemark.capture_ddl();
  CREATE EVENT TRIGGER tidemark_detach ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION tidemark.capture_detach();
  FOREACH made IN ARRAY ARRAY['tidemark_alter', 'tidemark_rewrite', 'tidemark_drop', 'tidemark_detach'] LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', made);
  END LOOP;
END $$;

DO $$
BEGIN
  PERFORM tidemark.watch_definitions();
EXCEPTION WHEN insufficient_privilege THEN
  NULL; -- The migration before this one has warned, and the doctor does.
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

-- A role that adds partitions to a watched table: GRANT EXECUTE ON FUNCTION tidemark.capture(), tidemark.stamp(),
-- tidemark.note_move(). Those that have the first are given the third.
DO $$
DECLARE
  adder record;
BEGIN
  FOR adder IN
    SELECT DISTINCT a.grantee::regrole AS role
    FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
    WHERE p.oid = 'tidemark.capture()'::regprocedure AND a.privilege_type = 'EXECUTE' AND a.grantee NOT IN (0, p.proowner)
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION tidemark.note_move() TO %s', adder.role);
  END LOOP;
END $$;

-- What was watched before is watched by the new rules, children included.
DO $$
DECLARE
  old record;
BEGIN
  FOR old IN
    SELECT w.place, w.arguments FROM tidemark.watched w WHERE w.place = tidemark.top(w.place)
  LOOP
    EXECUTE format('SELECT tidemark.watch(%L, %s)', old.place, old.arguments);
  END LOOP;
END $$;

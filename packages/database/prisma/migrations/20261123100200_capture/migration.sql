-- Capture: triggers write each change into the outbox in the writer's own transaction, so an outbox row commits if and
-- only if its change does, whoever the writer is: a service, psql, COPY, MERGE, a cascade, a cron job.
--
-- Statement triggers with transition tables see all rows of a statement at once: one insert into the outbox for a
-- statement of 500 rows, and one row instead of a million for a statement of a million. A foreign key's cascade is a
-- statement too, so is every action of MERGE and ON CONFLICT. TRUNCATE has no rows and has a trigger of its own.
--
-- Each change is seen by one set of triggers, whatever the session:
--
--   session                              statement triggers (ENABLE)   row triggers (ENABLE REPLICA)
--   ordinary                             fire                          sleep, and cost nothing
--   session_replication_role = replica   sleep                         fire
--   apply worker of a subscription       never fire                    fire
--
-- An apply worker is a replica, and calls no statement triggers for the rows it writes. So in replica mode a statement of
-- a million rows makes a million outbox rows. TRUNCATE has no rows, and its trigger fires everywhere: ENABLE ALWAYS, as is
-- the one that raises the version.

-- ── The row's version ──────────────────────────────────────────────────────────────────────────────────────────────

-- BEFORE ROW. `version` counts the writes of a row; the writer cannot choose it, or a lost update could hide behind a
-- version that was set back. An inserted row may bring its own (a restore by COPY keeps versions); NULLs are filled.
-- Arguments: which of the two columns the table has.
CREATE FUNCTION tidemark.stamp() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF TG_ARGV[0]::boolean THEN NEW.version := coalesce(OLD.version, 0) + 1; END IF;
    IF TG_ARGV[1]::boolean THEN NEW.updated_at := clock_timestamp(); END IF;
  ELSE
    IF TG_ARGV[0]::boolean THEN NEW.version := coalesce(NEW.version, 1); END IF;
    IF TG_ARGV[1]::boolean THEN NEW.updated_at := coalesce(NEW.updated_at, clock_timestamp()); END IF;
  END IF;
  RETURN NEW;
END $$;

-- ── The change ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- Arguments: resource name, key column, facets as JSON {"categoryId": "category_id"}, bulk limit. The name is an argument,
-- not the table's: a partition is written under its own name but is the same resource.
--
-- SECURITY DEFINER: a role that may write products need not, and should not, be able to write the log.
--
-- Rows become JSON before they are looked into: the function serves every table, and a column may change its type. Tables
-- have columns of any name: a bare alias or variable must not be taken for one, hence `alias.*` and use_variable.
-- One outbox row per key, with the tags of OLD and NEW united: a list that a product has left is as stale as the one that
-- it has entered. A key with only an old side is gone and one with only a new side is new, also when an UPDATE moved a
-- row from the one to the other.
--
-- force_generic_plan: the planner takes the short arrays it is shown for a reason to plan anew each time, which costs four
-- times what the statement does.
CREATE FUNCTION tidemark.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
  name text := TG_ARGV[0];
  key_column text := TG_ARGV[1];
  facets jsonb := TG_ARGV[2];
  bulk_limit bigint := TG_ARGV[3];
  facet_prefixes text[] := ARRAY(SELECT name || '.' || f.key || '=' FROM jsonb_each_text(facets) f);
  facet_columns text[] := ARRAY(SELECT f.value FROM jsonb_each_text(facets) f);
  named_columns text[] := key_column || facet_columns;
  befores jsonb[] := '{}';
  afters jsonb[] := '{}';
  touched bigint;
  trace_context text := left(nullif(current_setting('tidemark.trace', true), ''), 256);
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    IF TG_OP <> 'INSERT' THEN befores := ARRAY[to_jsonb(OLD)]; END IF;
    IF TG_OP <> 'DELETE' THEN afters := ARRAY[to_jsonb(NEW)]; END IF;
  ELSE
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
      befores := ARRAY(SELECT to_jsonb(o.*) FROM old_rows o LIMIT bulk_limit + 1);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
      afters := ARRAY(SELECT to_jsonb(n.*) FROM new_rows n LIMIT bulk_limit + 1);
    END IF;
  END IF;
  touched := greatest(cardinality(befores), cardinality(afters));

  IF TG_OP = 'TRUNCATE' OR touched > bulk_limit THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, trace)
    VALUES (name, CASE TG_OP WHEN 'TRUNCATE' THEN 'truncate' ELSE 'bulk' END, ARRAY[name || '!all'], trace_context);
  ELSIF touched > 0 THEN
    INSERT INTO tidemark.outbox (resource, key, operation, tags, version, trace)
    SELECT name, s.key,
           CASE WHEN NOT bool_or(s.is_new) THEN 'delete' WHEN bool_and(s.is_new) THEN 'insert' ELSE 'update' END,
           array_agg(DISTINCT t.tag) FILTER (WHERE t.tag IS NOT NULL),
           coalesce(max(s.version) FILTER (WHERE s.is_new), max(s.version)),
           trace_context
    FROM (
      SELECT r.row ->> key_column AS key, r.is_new,
             CASE jsonb_typeof(r.row -> 'version') WHEN 'number' THEN (r.row -> 'version')::bigint END AS version,
             ARRAY[name || ':' || (r.row ->> key_column), name,
                   -- A column named here was renamed or dropped since: say too much rather than too little.
                   CASE WHEN NOT r.row ?& named_columns THEN name || '!all' END]
               || ARRAY(SELECT f.prefix || (r.row ->> f.name) FROM unnest(facet_prefixes, facet_columns) f (prefix, name)) AS tags
      FROM (
        SELECT b.row, false AS is_new FROM unnest(befores) b (row)
        UNION ALL
        SELECT a.row, true FROM unnest(afters) a (row)
      ) r
      OFFSET 0 -- computes tags before the rows are sorted, so that the sort does not carry whole rows
    ) s
    CROSS JOIN LATERAL unnest(s.tags) t (tag)
    GROUP BY s.key;
  END IF;
  RETURN NULL;
END $$;

-- ── Installing ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- What has triggers: each table given to watch() and each of its partitions. Triggers die with their table, so what a
-- dropped table held is only known from here. regclass: a dump writes names.
CREATE TABLE tidemark.watched (
  place     regclass PRIMARY KEY,
  resource  text NOT NULL,
  arguments text NOT NULL
);

-- What we do to a table ourselves is no change of its rows: capture_ddl() looks away. A setting of the function would do it
-- in one line, but only a superuser may give a function one that no extension declared.
CREATE FUNCTION tidemark.alter_unseen(statement text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('tidemark.installing', 'on', true);
  EXECUTE statement;
  PERFORM set_config('tidemark.installing', '', true);
END $$;

CREATE FUNCTION tidemark.uninstall(place regclass) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  trigger_name name;
  found_any boolean := false;
BEGIN
  FOR trigger_name IN
    SELECT t.tgname FROM pg_trigger t WHERE t.tgname LIKE 'tidemark\_%' AND t.tgparentid = 0 AND t.tgrelid = uninstall.place
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, place);
    found_any := true;
  END LOOP;
  DELETE FROM tidemark.watched w WHERE w.place = uninstall.place;
  RETURN found_any;
END $$;

-- Statement triggers fire for the table that the statement names, so each partition needs its own.
CREATE FUNCTION tidemark.install(place regclass, resource text, arguments text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
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
  INSERT INTO tidemark.watched (place, resource, arguments) VALUES (place, resource, arguments);
END $$;

-- Removes what watch() installed. Cached values of the resource are no longer told of changes.
CREATE FUNCTION tidemark.unwatch(watched regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed boolean;
BEGIN
  SELECT bool_or(tidemark.uninstall(p.place)) INTO removed
  FROM (SELECT watched AS place UNION SELECT t.relid FROM pg_partition_tree(watched) t) p;
  IF removed THEN
    UPDATE tidemark.clock SET capture_version = capture_version + 1;
  END IF;
END $$;

-- Why a column's values cannot be part of a tag; NULL when they can. A reader makes the tag from a value that JavaScript
-- writes as text, so one text must stand for one value: 1.0 = 1 in numeric, 'NL ' = 'NL' in char(3), 'nl' = 'NL' in citext.
CREATE FUNCTION tidemark.unfit_for_tag(place regclass, wanted name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('column %I is of type %s%s: allowed are text and varchar with a deterministic collation, smallint, integer, bigint, boolean, uuid and enums',
                a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN NOT c.collisdeterministic THEN format(' with the nondeterministic collation %I', c.collname) END)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = place AND a.attname = wanted AND NOT a.attisdropped
    AND NOT (t.typtype = 'e'
             OR a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'uuid'::regtype)
             OR a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND c.collisdeterministic)
$$;

-- Captures the changes of a table. Run it again to change facets or the limit; in a migration, before any reader uses them.
--
--   watched     table; of a partitioned one its partitions too. Those that come later are seen by capture_ddl(); without
--               its event triggers watch the table again after adding one
--   name        resource, singular camelCase: product
--   key         column that identifies a row, NOT NULL
--   facets      API field -> column: {"categoryId": "category_id"}; key and facets of types that unfit_for_tag() lets pass
--   bulk_limit  a statement that touches more rows is told as one change of everything
CREATE FUNCTION tidemark.watch(watched regclass, name text, key text, facets jsonb DEFAULT '{}', bulk_limit integer DEFAULT 1000)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
  place regclass;
  arguments text;
  has_version boolean;
  has_updated_at boolean;
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
  FOR place IN SELECT watched UNION SELECT p.relid FROM pg_partition_tree(watched) p LOOP
    PERFORM tidemark.install(place, name, arguments);
  END LOOP;
  -- Postgres gives row triggers to the partitions itself, also to those that come later.
  EXECUTE format('CREATE TRIGGER tidemark_row AFTER INSERT OR UPDATE OR DELETE ON %s
    FOR EACH ROW EXECUTE FUNCTION tidemark.capture(%s)', watched, arguments);
  PERFORM tidemark.alter_unseen(format('ALTER TABLE %s ENABLE REPLICA TRIGGER tidemark_row', watched));

  SELECT coalesce(bool_or(a.attname = 'version' AND a.atttypid IN ('int4'::regtype, 'int8'::regtype)), false),
         coalesce(bool_or(a.attname = 'updated_at' AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)), false)
  INTO has_version, has_updated_at
  FROM pg_attribute a WHERE a.attrelid = watched AND NOT a.attisdropped;
  IF has_version OR has_updated_at THEN
    EXECUTE format('CREATE TRIGGER tidemark_stamp BEFORE INSERT OR UPDATE ON %s
      FOR EACH ROW EXECUTE FUNCTION tidemark.stamp(%L, %L)', watched, has_version, has_updated_at);
    PERFORM tidemark.alter_unseen(format('ALTER TABLE %s ENABLE ALWAYS TRIGGER tidemark_stamp', watched));
  END IF;

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
-- detached, a dropped table, triggers put to sleep. Any ALTER or DROP of a watched table, or of a partition of one, is told
-- as a change of everything: which of them change rows is not ours to know, and they are rare.
--
-- A new partition gets the statement triggers of its parent.
CREATE FUNCTION tidemark.capture_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tables oid[];
  names text[];
  bare record;
BEGIN
  IF current_setting('tidemark.installing', true) = 'on' THEN RETURN; END IF;
  IF TG_EVENT = 'table_rewrite' THEN
    tables := ARRAY[pg_event_trigger_table_rewrite_oid()];
    names := ARRAY[pg_event_trigger_table_rewrite_oid()::regclass];
  ELSIF TG_EVENT = 'sql_drop' THEN
    SELECT array_agg(d.objid), array_agg(d.object_identity) INTO tables, names
    FROM pg_event_trigger_dropped_objects() d WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0;
  ELSE
    SELECT array_agg(c.objid), array_agg(c.object_identity) INTO tables, names
    FROM (SELECT d.objid, d.object_identity FROM pg_event_trigger_ddl_commands() d
          WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
          UNION
          -- An enum's value that is given another name changes the text of rows that nobody rewrites.
          SELECT a.attrelid, d.object_identity
          FROM pg_event_trigger_ddl_commands() d
          JOIN pg_attribute a ON a.atttypid = d.objid AND NOT a.attisdropped
          JOIN tidemark.watched w ON w.place = a.attrelid
          WHERE d.classid = 'pg_type'::regclass) c;
  END IF;

  IF TG_TAG <> 'CREATE TABLE' THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, reason)
    SELECT w.resource, 'bulk', ARRAY[w.resource || '!all'], TG_TAG || ' ' || min(t.name)
    FROM unnest(tables, names) t (id, name)
    CROSS JOIN LATERAL (SELECT t.id UNION SELECT a.relid FROM pg_partition_ancestors(t.id) a) up (id)
    JOIN tidemark.watched w ON w.place = up.id
    GROUP BY w.resource;
  END IF;

  IF TG_EVENT = 'sql_drop' THEN
    DELETE FROM tidemark.watched w WHERE w.place = ANY (tables);
  ELSIF TG_EVENT = 'ddl_command_end' THEN
    FOR bare IN
      SELECT DISTINCT p.relid AS place, w.resource, w.arguments
      FROM unnest(tables) t (id)
      CROSS JOIN LATERAL pg_partition_ancestors(t.id) up
      JOIN tidemark.watched w ON w.place = up.relid
      CROSS JOIN LATERAL pg_partition_tree(w.place) p
      WHERE NOT EXISTS (SELECT FROM tidemark.watched own WHERE own.place = p.relid AND own.arguments = w.arguments)
    LOOP
      PERFORM tidemark.install(bare.place, bare.resource, bare.arguments);
    END LOOP;
  END IF;
END $$;

-- Event triggers belong to superusers. ENABLE ALWAYS: a session in replica mode alters tables too.
DO $$
BEGIN
  CREATE EVENT TRIGGER tidemark_alter ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'ALTER TYPE')
    EXECUTE FUNCTION tidemark.capture_ddl();
  -- ALTER TABLE is seen above.
  CREATE EVENT TRIGGER tidemark_rewrite ON table_rewrite WHEN TAG IN ('ALTER TYPE') EXECUTE FUNCTION tidemark.capture_ddl();
  CREATE EVENT TRIGGER tidemark_drop ON sql_drop EXECUTE FUNCTION tidemark.capture_ddl();
  ALTER EVENT TRIGGER tidemark_alter ENABLE ALWAYS;
  ALTER EVENT TRIGGER tidemark_rewrite ENABLE ALWAYS;
  ALTER EVENT TRIGGER tidemark_drop ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'tidemark: event triggers need a superuser, so these are not captured: ALTER TABLE that changes rows (TYPE ... USING, ADD COLUMN ... DEFAULT), ATTACH and DETACH PARTITION, DROP TABLE, DISABLE TRIGGER'
    USING HINT = 'After each of them, and after adding a partition, call tidemark.watch() on the table again';
END $$;

-- A role that adds partitions to a watched table: GRANT EXECUTE ON FUNCTION tidemark.capture(), tidemark.stamp(), for Postgres
-- copies the row triggers in its name.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

-- Facets, and the unique fields by which rows are looked up: a look-up that found nothing is sunk by the insert.
SELECT tidemark.watch('category', 'category', 'id', '{"parentId": "parent_id", "slug": "slug"}');
SELECT tidemark.watch('brand', 'brand', 'id', '{"country": "country", "slug": "slug"}');
SELECT tidemark.watch('product', 'product', 'id', '{"categoryId": "category_id", "brandId": "brand_id", "slug": "slug"}');

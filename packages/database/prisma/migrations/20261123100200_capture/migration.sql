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

-- Removes what watch() installed. Cached values of the resource are no longer told of changes.
CREATE FUNCTION tidemark.unwatch(watched regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  installed record;
BEGIN
  FOR installed IN
    SELECT t.tgrelid::regclass AS place, t.tgname
    FROM pg_trigger t
    WHERE t.tgname LIKE 'tidemark\_%' AND t.tgparentid = 0
      AND t.tgrelid IN (SELECT watched UNION SELECT p.relid FROM pg_partition_tree(watched) p)
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', installed.tgname, installed.place);
  END LOOP;
  IF FOUND THEN
    UPDATE tidemark.clock SET capture_version = capture_version + 1;
  END IF;
END $$;

-- Captures the changes of a table. Run it again to change facets or the limit; in a migration, before any reader uses them.
--
--   watched     table; of a partitioned one its present partitions too (a statement fires the triggers of the table it
--               names): watch it again after adding one
--   name        resource, singular camelCase: product
--   key         column that identifies a row, NOT NULL
--   facets      API field -> column: {"categoryId": "category_id"}
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
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'tidemark.watch(%): %', watched, wrong USING ERRCODE = 'invalid_parameter_value';
  END IF;

  PERFORM tidemark.unwatch(watched);
  arguments := format('%L, %L, %L, %L', name, key, facets, bulk_limit);
  FOR place IN SELECT watched UNION SELECT p.relid FROM pg_partition_tree(watched) p LOOP
    -- Transition tables may be used by triggers on one event only.
    EXECUTE format('CREATE TRIGGER tidemark_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
    EXECUTE format('CREATE TRIGGER tidemark_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
    EXECUTE format('CREATE TRIGGER tidemark_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows
      FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
    EXECUTE format('CREATE TRIGGER tidemark_truncate AFTER TRUNCATE ON %s
      FOR EACH STATEMENT EXECUTE FUNCTION tidemark.capture(%s)', place, arguments);
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER tidemark_truncate', place);
  END LOOP;
  -- Postgres gives row triggers to the partitions itself, also to those that come later.
  EXECUTE format('CREATE TRIGGER tidemark_row AFTER INSERT OR UPDATE OR DELETE ON %s
    FOR EACH ROW EXECUTE FUNCTION tidemark.capture(%s)', watched, arguments);
  EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER tidemark_row', watched);

  SELECT coalesce(bool_or(a.attname = 'version' AND a.atttypid IN ('int4'::regtype, 'int8'::regtype)), false),
         coalesce(bool_or(a.attname = 'updated_at' AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)), false)
  INTO has_version, has_updated_at
  FROM pg_attribute a WHERE a.attrelid = watched AND NOT a.attisdropped;
  IF has_version OR has_updated_at THEN
    EXECUTE format('CREATE TRIGGER tidemark_stamp BEFORE INSERT OR UPDATE ON %s
      FOR EACH ROW EXECUTE FUNCTION tidemark.stamp(%L, %L)', watched, has_version, has_updated_at);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER tidemark_stamp', watched);
  END IF;

  UPDATE tidemark.clock SET capture_version = capture_version + 1 RETURNING position > 0 INTO begun;
  -- Writes before this commit went unseen or lacked a facet's tag. Creating the triggers waited for those writers, so this
  -- change is sequenced after all of them and sinks what was cached since. A log not yet begun starts with an epoch anyway.
  IF begun THEN
    INSERT INTO tidemark.outbox (resource, operation, tags, reason)
    VALUES (name, 'bulk', ARRAY[name || '!all'], 'capture installed');
  END IF;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

-- Facets, and the unique fields by which rows are looked up: a look-up that found nothing is sunk by the insert.
SELECT tidemark.watch('category', 'category', 'id', '{"parentId": "parent_id", "slug": "slug"}');
SELECT tidemark.watch('brand', 'brand', 'id', '{"country": "country", "slug": "slug"}');
SELECT tidemark.watch('product', 'product', 'id', '{"categoryId": "category_id", "brandId": "brand_id", "slug": "slug"}');

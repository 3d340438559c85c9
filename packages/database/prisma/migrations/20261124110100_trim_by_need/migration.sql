-- The log is kept for those who still need it, and for no one for ever.
--
-- Deletes the oldest log rows that nothing keeps. Kept are
--   the last keep_positions, and what is younger than keep_age: always;
--   what the slowest of `needs` (name -> last position held) and of the durable cursors still needs: its own position, by
--   which it is recognised, and all after it. But no more than most_positions in all: whoever trails further is cut off.
-- Whoever is not named holds nothing: a sink whose end is not known, say. What is kept has no holes, and one call deletes at
-- most 10,000 rows, so several callers at once do no harm.
--
-- Gives how many rows went, how many are kept, and who was cut off by this call: a sink is then rebuilt and its followers
-- rebase; a cursor's consumer is told that history is gone.
CREATE FUNCTION tidemark.trim_log(keep_positions bigint, keep_age interval, needs jsonb, most_positions bigint)
RETURNS TABLE (trimmed bigint, kept bigint, cut_off text[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most constant bigint := 10000;
  oldest bigint;
  newest bigint;
  needed bigint;
  cut bigint;
BEGIN
  IF keep_positions IS NULL OR keep_positions < 0 OR keep_age IS NULL THEN
    RAISE EXCEPTION 'tidemark.trim_log(): keep_positions must be 0 or more and keep_age must be given'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF most_positions IS NULL OR most_positions < 1 OR jsonb_typeof(needs) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'tidemark.trim_log(): most_positions must be 1 or more and needs an object of name and position'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT min(l.position), max(l.position) INTO oldest, newest FROM tidemark.log l;
  cut := newest - greatest(keep_positions, 1);
  -- The wall clock may step back: cut below the first row that is young enough, not through the rows that are old.
  cut := least(cut, (
    SELECT l.position - 1 FROM tidemark.log l
    WHERE l.sequenced_at >= clock_timestamp() - keep_age AND l.position <= cut ORDER BY l.position LIMIT 1));
  needed := least((SELECT min(n.value::bigint) FROM jsonb_each_text(needs) n), (SELECT min(c.position) FROM tidemark.cursor c));
  IF needed IS NOT NULL THEN
    cut := least(cut, greatest(needed - 1, newest - most_positions));
  END IF;
  cut := least(cut, oldest + most - 1);

  cut_off := ARRAY(
    SELECT w.name
    FROM (SELECT n.key AS name, n.value::bigint AS position FROM jsonb_each_text(needs) n
          UNION ALL
          SELECT 'cursor ' || c.name, c.position FROM tidemark.cursor c) w
    WHERE w.position BETWEEN oldest AND cut ORDER BY w.name);
  DELETE FROM tidemark.log l WHERE l.position <= cut;
  GET DIAGNOSTICS trimmed = ROW_COUNT;
  kept := newest - greatest(oldest - 1, cut);
  RETURN NEXT;
END $$;

-- For those who know of no sinks. Cursors are kept for all the same.
CREATE OR REPLACE FUNCTION tidemark.trim_log(keep_positions bigint, keep_age interval) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT t.trimmed FROM tidemark.trim_log(keep_positions, keep_age, '{}', 1000000) t $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tidemark FROM PUBLIC;

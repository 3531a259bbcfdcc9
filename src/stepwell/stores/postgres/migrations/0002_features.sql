-- Who belongs to a join (R28): looked for when its handler runs, and when a copy takes a place.
CREATE INDEX stepwell_ready_join ON stepwell_ready (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_done_join ON stepwell_done (join_id, id) WHERE join_id IS NOT NULL;
CREATE INDEX stepwell_failed_join ON stepwell_failed (join_id, id) WHERE join_id IS NOT NULL;

-- Rows with a limit or rate key (R20): whether one is due; the keys that have rows waiting,
-- each with its rows in order; those to be claimed alone; the slots that are taken.
CREATE INDEX stepwell_ready_limited ON stepwell_ready (name, queue, schedule_time)
WHERE claimed_by IS NULL AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL;
CREATE INDEX stepwell_ready_keys ON stepwell_ready (
    name, ((coalesce(limit_key, '') || chr(31) || coalesce(rate_key, '')) COLLATE "C"),
    queue, priority, schedule_time, id
)
WHERE claimed_by IS NULL AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL
    AND lost_count < 2;
CREATE INDEX stepwell_ready_limited_suspect ON stepwell_ready (schedule_time, id)
WHERE claimed_by IS NULL AND waiting_for = 0 AND coalesce(limit_key, rate_key) IS NOT NULL
    AND lost_count >= 2;
CREATE INDEX stepwell_ready_slots ON stepwell_ready (limit_key)
WHERE claimed_by IS NOT NULL AND limit_key IS NOT NULL;
-- Failures of one kind, by time, and how many there are without reading the rows.
CREATE INDEX stepwell_failed_fingerprint ON stepwell_failed (fingerprint, ended_at)
INCLUDE (name, ended_as);

-- The partitions of ended rows, with the range of each; a default partition has none (R23).
CREATE VIEW stepwell_partitions AS
SELECT
    parent.relname::text AS parent,
    part.relname::text AS part,
    substring(bounds FROM 'FROM \(''([^'']+)''\)')::timestamptz AS starts,
    substring(bounds FROM 'TO \(''([^'']+)''\)')::timestamptz AS ends
FROM pg_inherits
JOIN pg_class AS parent ON parent.oid = inhparent
JOIN pg_class AS part ON part.oid = inhrelid
CROSS JOIN LATERAL pg_get_expr(part.relpartbound, part.oid) AS bounds
WHERE inhparent IN (
    'stepwell_done_short'::regclass, 'stepwell_done_standard'::regclass,
    'stepwell_done_long'::regclass, 'stepwell_failed_short'::regclass,
    'stepwell_failed_standard'::regclass, 'stepwell_failed_long'::regclass
);

-- How much time a partition of each table spans: the longer rows are kept, the more, so
-- that none is kept for much longer than it should be, and there are never many partitions.
CREATE FUNCTION stepwell_span(parent text, OUT unit text, OUT span interval, OUT ahead integer)
LANGUAGE sql IMMUTABLE AS $body$
    SELECT 'day', interval '1 day', 3 WHERE parent = 'stepwell_done_short'
    UNION ALL
    SELECT 'quarter', interval '3 months', 1 WHERE parent LIKE '%\_long'
    UNION ALL
    SELECT 'month', interval '1 month', 2
    WHERE parent <> 'stepwell_done_short' AND parent NOT LIKE '%\_long'
$body$;

-- Makes the partition of one span and attaches it: readers and writers wait for no more than
-- a look at what is left in the default partition. Rows that had to go there move before,
-- while others still see them there.
CREATE FUNCTION stepwell_make_partition(parent text, starts timestamptz, ends timestamptz)
RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
    part text := parent || to_char(starts AT TIME ZONE 'UTC', CASE (stepwell_span(parent)).unit
        WHEN 'day' THEN '_YYYY_MM_DD'
        WHEN 'quarter' THEN '_YYYY_"q"Q'
        ELSE '_YYYY_MM'
    END);
    move text := format(
        'WITH late AS (DELETE FROM %I WHERE ended_at >= %L AND ended_at < %L RETURNING *)
        INSERT INTO %I SELECT * FROM late', parent || '_default', starts, ends, part);
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES)', part, parent);
    EXECUTE move;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
    EXECUTE move;
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, part, starts, ends);
    RETURN part;
END
$body$;

-- The spans from now on that have no partition: so many in all, or as many as is usual.
CREATE FUNCTION stepwell_missing_partitions(more integer DEFAULT 0)
RETURNS TABLE (parent text, starts timestamptz, ends timestamptz)
LANGUAGE sql STABLE AS $body$
    SELECT wanted.parent, wanted.starts, wanted.ends
    FROM (
        SELECT
            place.parent,
            (first + ahead.number * usual.span) AT TIME ZONE 'UTC' AS starts,
            (first + (ahead.number + 1) * usual.span) AT TIME ZONE 'UTC' AS ends
        FROM (SELECT DISTINCT parent FROM stepwell_partitions) AS place
        CROSS JOIN LATERAL stepwell_span(place.parent) AS usual
        CROSS JOIN LATERAL date_trunc(usual.unit, now() AT TIME ZONE 'UTC') AS first
        CROSS JOIN LATERAL generate_series(0, usual.ahead + more) AS ahead (number)
    ) AS wanted
    WHERE NOT EXISTS (
        SELECT 1 FROM stepwell_partitions AS present
        WHERE present.parent = wanted.parent
            AND present.starts < wanted.ends AND present.ends > wanted.starts
    )
    ORDER BY wanted.starts, wanted.parent
$body$;

-- Makes what is missing, at once, and so many spans more than is usual; returns the names.
DROP FUNCTION stepwell_make_partitions(integer);
CREATE FUNCTION stepwell_make_partitions(more integer DEFAULT 0)
RETURNS SETOF text LANGUAGE sql AS $body$
    SELECT pg_advisory_xact_lock(hashtextextended('stepwell_make_partitions', 0));
    SELECT stepwell_make_partition(parent, starts, ends) FROM stepwell_missing_partitions(more);
$body$;

-- Drops one partition. Rows that an open join waits for go to the default partition (R28).
-- The parent is locked for the length of the transaction: whoever ends a step then waits.
CREATE FUNCTION stepwell_drop_partition(parent text, part text)
RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    spared uuid[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(old.id) FROM %I AS old WHERE old.join_id IS NOT NULL
        AND EXISTS (SELECT 1 FROM stepwell_ready AS ready WHERE ready.id = old.join_id)', part)
    INTO spared;
    IF spared IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, part);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE id = ANY($1)', parent, part)
        USING spared;
    END IF;
    EXECUTE format('DROP TABLE %I', part);
END
$body$;

-- One piece of retention's work (R23): a partition made, one dropped, or some rows removed
-- from default partitions. Expiries are a JSON object: the table of a class, and before
-- which instant its rows may go. Whoever comes while another is at work does nothing.
-- Others queue behind a lock that is waited for, so it is not waited for long.
CREATE FUNCTION stepwell_sweep(
    expiries json, at_most integer, OUT made text, OUT dropped text, OUT removed integer
) LANGUAGE plpgsql SET lock_timeout = '100ms' AS $body$
DECLARE
    place record;
    batch integer;
BEGIN
    removed := 0;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('stepwell_make_partitions', 0)) THEN
        RETURN;
    END IF;
    -- What could be dropped at once is not made.
    SELECT missing.* INTO place
    FROM stepwell_missing_partitions() AS missing
    LEFT JOIN json_each_text(expiries) AS expiry ON expiry.key = missing.parent
    WHERE expiry.value IS NULL OR missing.ends > expiry.value::timestamptz
    LIMIT 1;
    IF FOUND THEN
        made := stepwell_make_partition(place.parent, place.starts, place.ends);
        RETURN;
    END IF;
    SELECT present.parent, present.part INTO place
    FROM json_each_text(expiries) AS expiry
    JOIN stepwell_partitions AS present ON present.parent = expiry.key
    WHERE present.ends <= expiry.value::timestamptz
    ORDER BY present.ends, present.part
    LIMIT 1;
    IF FOUND THEN
        PERFORM stepwell_drop_partition(place.parent, place.part);
        dropped := place.part;
        RETURN;
    END IF;
    FOR place IN
        SELECT expiry.key || '_default' AS part, expiry.value AS before
        FROM json_each_text(expiries) AS expiry
    LOOP
        EXECUTE format(
            'DELETE FROM %I WHERE ctid = ANY(ARRAY(
                SELECT late.ctid FROM %I AS late
                WHERE late.ended_at < $1::timestamptz AND NOT EXISTS (
                    SELECT 1 FROM stepwell_ready AS ready WHERE ready.id = late.join_id)
                LIMIT $2))', place.part, place.part)
        USING place.before, at_most - removed;
        GET DIAGNOSTICS batch = ROW_COUNT;
        removed := removed + batch;
    END LOOP;
END
$body$;
